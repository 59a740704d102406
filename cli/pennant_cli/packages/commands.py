"""`pennant lock` and `pennant image build`: their arguments and help."""

from __future__ import annotations

from typing import Annotated

import typer

from pennant_cli.version_names import VersionArgument

packages = typer.Typer()
image = typer.Typer(help="Images that versions bring along.", no_args_is_help=True)
packages.add_typer(image, name="image")

IndexOption = Annotated[
    list[str] | None,
    typer.Option(
        "--index-url",
        metavar="URL",
        help="Of a package index; of several, the first one that has a package. Absent: those of "
        "UV_DEFAULT_INDEX and UV_INDEX, or of PIP_INDEX_URL and PIP_EXTRA_INDEX_URL.",
    ),
]


@packages.command("lock")
def lock_command(version: VersionArgument, index_url: IndexOption = None) -> None:
    """Resolve the packages that a version's bundle asks for, and write them as its tag
    pennant.environment: with serving.environment: Bundle its pods install exactly these.

    Run it on Linux, with the Python that the model was trained with, before the alias moves.

    Example: pennant lock news/8 --index-url https://packages.example.com/simple
    """
    from pennant_cli.packages.lock import lock

    typer.echo(lock(version, index_url or []))


@image.command("build", context_settings={"ignore_unknown_options": True})
def image_build_command(
    version: VersionArgument,
    base: Annotated[
        str, typer.Option("--from", metavar="IMAGE", help="The serving image to build on.")
    ],
    name: Annotated[
        str, typer.Option(metavar="IMAGE", help="Of the new one, such as registry/ml/news:8.")
    ],
    index_url: IndexOption = None,
    *,
    push: Annotated[bool, typer.Option("--push", help="Push it, and print its digest.")] = False,
    tag: Annotated[
        bool,
        typer.Option("--tag", help="Push it, and write it as the version's tag pennant.image."),
    ] = False,
    builder: Annotated[
        str, typer.Option(help="docker or buildah. Absent: docker where it answers, else buildah.")
    ] = "",
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGUMENT]...", help="For the builder.")
    ] = None,
) -> None:
    """Build an image for one version: the serving image, and the packages that its bundle asks
    for; exactly those that it is locked to, where it is.

    Example: pennant image build news/8 --from registry/ml/pennant-serving:0.1.0
    --name registry/ml/news:8 --tag
    """
    from pennant_cli.packages.image.build import ImageOrder, build

    order = ImageOrder(version, base, name, tuple(index_url or ()), push=push or tag, tag=tag)
    typer.echo(build(order, builder, arguments or []))
