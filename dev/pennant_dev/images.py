"""The command `dev/images`: builds the Dockerfile's images as `localhost/NAME:dev`.

  build [NAME...]  build what changed since the last build; without a name the usual four, of
                   which pennant-serving-boosters (XGBoost, LightGBM, ONNX) is none
  list             the images and whether each is there

With the `kind` provider Docker builds; with `local` buildah does, on a Debian base image that
`mmdebstrap` makes, as no image registry is needed there. Images are cached by a hash of the
files they depend on.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pennant_dev import buildah, kind, shelf
from pennant_dev.binaries import exclusive
from pennant_dev.buildkey import TARGETS, USUAL, build_flags, build_key, reference
from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shell import DevError, eprint, run, step, succeeds


def folder(name: str, settings: Settings) -> Path:
    """The folder of an image as the sources are now, built if need be."""
    path = folder_path(name, settings)
    if path.exists():
        return path
    settings.cache.mkdir(parents=True, exist_ok=True)
    with exclusive(settings.cache / "images.lock"):
        if not path.exists():
            with step(f"built {reference(name)}"):
                buildah.build(name, path, settings)
            shelf.keep(name, path)
    return path


def folder_path(name: str, settings: Settings) -> Path:
    """Where the folder of an image belongs, as the sources are now."""
    if name not in TARGETS:
        raise DevError(f"no image `{name}`; there are: {', '.join(TARGETS)}")
    return settings.images / f"{name}-{build_key(REPOSITORY, name)}"


def docker_command(name: str) -> list[str]:
    """Docker's build of one image; its own cache finds what changed."""
    return ["docker", "build", *build_flags(name), "."]


def uses_docker(settings: Settings) -> bool:
    """An image is built where it is loaded, or pushed, from: by Docker exactly where kind runs."""
    if settings.provider == "context":
        return succeeds(["docker", "info"])
    return settings.provider == "kind" or (settings.provider is None and kind.usable())


def build(names: Sequence[str], settings: Settings) -> None:
    """Build images, the usual four without a name."""
    for name in names or USUAL:
        if uses_docker(settings):
            with step(f"built {reference(name)}"):
                run(docker_command(name), cwd=REPOSITORY)
        else:
            eprint(f"{reference(name)}: {folder(name, settings)}")


def built(name: str, settings: Settings) -> bool:
    """Whether an image is there; where Docker builds, perhaps of older sources."""
    if uses_docker(settings):
        return succeeds(["docker", "image", "inspect", reference(name)])
    return folder_path(name, settings).exists()


def listing(settings: Settings) -> list[str]:
    """A line for each image."""
    there = {name: built(name, settings) for name in TARGETS}
    return [f"{reference(name)}  {'built' if there[name] else 'not built'}" for name in TARGETS]


def main(words: list[str] | None = None) -> int:
    """Run one command; 1 and a sentence when it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="dev/images", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("build", "list"), metavar="COMMAND")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args(words)
    settings = Settings.from_env()
    try:
        if arguments.command == "build":
            build(arguments.names, settings)
        else:
            sys.stdout.write("\n".join(listing(settings)) + "\n")
    except DevError as error:
        eprint(f"dev/images {arguments.command}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
