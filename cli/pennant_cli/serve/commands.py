"""`pennant serve`: its arguments and help."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from pennant_cli.serve.target import Target, target
from pennant_registry.durations import parse_duration

serving = typer.Typer()


def _poll(text: str) -> timedelta:
    try:
        every = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not every:
        raise typer.BadParameter("0 would ask all the time: write for example 5s")
    return every


@serving.command("serve")
def serve_command(
    what: Annotated[
        Target,
        typer.Argument(
            parser=target, metavar="MODEL@ALIAS", help="Such as news@production, or news/8."
        ),
    ],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Serve what the alias points at, whenever it moves.")
    ] = False,
    poll: Annotated[
        timedelta,
        typer.Option(parser=_poll, metavar="DURATION", help="With --follow: how often to look."),
    ] = "5s",  # type: ignore[assignment] # the parser reads it
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    adapter: Annotated[
        str, typer.Option(help="As serving.adapter: auto, pyfunc, ... or module:Class.")
    ] = "auto",
) -> None:
    """Serve a version on this machine, by the server that pods run: Open Inference V2, MLflow's
    /invocations, metrics. It needs neither a cluster nor root.

    With --follow it does what the operator does: when the alias moves, the new version is loaded
    and tried beside the one that serves, then it takes over without a lost request; a version that
    does not load is refused, and what served goes on. Ctrl-C ends it.

    Example: pennant serve news@production --follow
    """
    if follow and what.alias is None:
        raise typer.BadParameter(f"{what} never moves: --follow goes with MODEL@ALIAS")
    from pennant_cli.serve.order import Order
    from pennant_cli.serve.run import run

    run(Order(what, host, port, adapter, poll if follow else None))
