"""`pennant register`, `promote`, `rollback`, `hold`, `release`, `history`: arguments and help."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pennant_cli.output import Format, FormatOption, show, working
from pennant_cli.packages.commands import IndexOption
from pennant_cli.pointer_names import (
    AliasOption,
    PointerArgument,
    StageOption,
    pointer_name,
    pointer_of,
)
from pennant_cli.registry.gate_options import GateOption, GatesOption, gates_of
from pennant_cli.registry.times import moment
from pennant_cli.registry.times import until as until_time
from pennant_cli.version_names import VersionArgument

registry = typer.Typer()

WaitOption = Annotated[
    str | None,
    typer.Option("--wait", metavar="TIME", help="Return once it serves, or say why not: 10m."),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="CLUSTER/NAMESPACE/NAME",
        help="Of the ModelDeployment to wait for; absent: the only one that there is.",
    ),
]

HeldVersionOption = Annotated[
    int | None,
    typer.Option("--version", metavar="NUMBER", min=1, help="Only this one; absent: all of it."),
]


@registry.command("register")
def register_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of an MLflow run.")],
    artifact: Annotated[
        str,
        typer.Argument(metavar="ARTIFACT", help="That it has logged, such as model.pkl."),
    ],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The registered model's name.")],
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="KEY=VALUE", help="Of the new version; repeatable."),
    ] = None,
    *,
    lock: Annotated[
        bool, typer.Option("--lock", help="Resolve its packages, too: see pennant lock.")
    ] = False,
    index_url: IndexOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Make a version of what a run has logged, tagged with what it is; print its name.

    Example: pennant register $RUN model news --tag approved=true
    """
    import pennant_registry

    tags = dict(map(_tag, tag or ()))
    with working(f"registering {artifact}"):
        number = pennant_registry.register(
            run, artifact, model, tags, lock=lock, index_url=index_url or None
        )
    show({"model": model, "version": number}, output, f"{model}/{number}")


@registry.command("promote")
def promote_command(
    version: VersionArgument,
    alias: AliasOption = None,
    stage: StageOption = None,
    gate: GateOption = None,
    gates: GatesOption = None,
    override: Annotated[
        str | None,
        typer.Option(metavar="WHY", help="Move it although gates or a hold refuse; recorded."),
    ] = None,
    wait: WaitOption = None,
    where: WhereOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Point an alias at a version, once every gate is passed and nobody holds it.

    Example: pennant promote news/8 --alias production --gate 'ndcg_at_10>=0.3'
    """
    import pennant_registry
    from pennant_cli.registry.moving import show_move

    of, asked = pointer_of(version.model, alias, stage), gates_of(gate, gates)
    with working(f"promoting {version}"):
        move = pennant_registry.promote(
            *(version.version, of.model),
            gates=asked,
            override=override,
            wait=wait,
            where=where,
            **of.named,
        )
    show_move(move, of, output)


@registry.command("rollback")
def rollback_command(
    of: PointerArgument,
    stage: StageOption = None,
    reason: Annotated[
        str, typer.Option(metavar="WHY", help="Of the hold on the version that it leaves.")
    ] = "rolled back",
    wait: WaitOption = None,
    where: WhereOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Point an alias back at the version that held it before; the one that it leaves is on hold.

    Example: pennant rollback news@production --reason "ranks old news first"
    """
    import pennant_registry
    from pennant_cli.registry.moving import show_move

    pointer = pointer_name(of, stage)
    with working(f"rolling {of} back"):
        move = pennant_registry.rollback(
            pointer.model, reason=reason, wait=wait, where=where, **pointer.named
        )
    show_move(move, pointer, output)


@registry.command("hold")
def hold_command(
    of: PointerArgument,
    reason: Annotated[
        str, typer.Option(metavar="WHY", help="For whoever finds it so.", show_default=False)
    ],
    stage: StageOption = None,
    version: HeldVersionOption = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=until_time, metavar="TIME", help="2h, or 2026-12-01T08:00Z."),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Let nothing new of an alias go out, or not one version of it, until release or a time.

    Example: pennant hold news@production --reason "election night" --until 12h
    """
    import pennant_registry
    from pennant_cli.registry.holds import show_hold

    pointer = pointer_name(of, stage)
    made = pennant_registry.hold(
        pointer.model, reason=reason, until=until, version=version, **pointer.named
    )
    show_hold(made, pointer, output)


@registry.command("release")
def release_command(
    of: PointerArgument,
    stage: StageOption = None,
    version: HeldVersionOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """End the hold on an alias, or the one on a version of it.

    Example: pennant release news@production
    """
    import pennant_registry
    from pennant_cli.registry.holds import show_hold

    pointer = pointer_name(of, stage)
    ended = pennant_registry.release(pointer.model, version=version, **pointer.named)
    show_hold(ended, pointer, output, released=True)


@registry.command("history")
def history_command(
    of: PointerArgument,
    stage: StageOption = None,
    at: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Such as 2026-05-03T14:05Z."),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """The recorded moves of an alias, newest first: who moved it, when, from which version; or,
    with --at, what it was at and what served at a moment.

    Example: pennant history news@production
    """
    import pennant_registry
    from pennant_cli.registry.moving import show_moment, show_moves

    pointer = pointer_name(of, stage)
    with working(f"reading the moves of {of}"):
        if at is None:
            moves = pennant_registry.history(pointer.model, **pointer.named)
        else:
            known = pennant_registry.history(pointer.model, at=at, **pointer.named)
    if at is None:
        show_moves(moves, pointer, output)
    else:
        show_moment(known, pointer, output)


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise typer.BadParameter(
            f"{text!r} is no tag: write KEY=VALUE, such as approved=true", param_hint="--tag"
        )
    return key, value
