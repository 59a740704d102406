"""The program: the commands of all rooms, each with its arguments and help in its `commands.py`."""

from __future__ import annotations

import typer

from pennant_cli.decisions.commands import decisions
from pennant_cli.packages.commands import packages

app = typer.Typer(
    help="Pennant rolls model-serving pods when an MLflow alias moves.\n\n"
    "The registry is the one of MLFLOW_TRACKING_URI. Exit codes: 0 done, 1 refused or failed, "
    "2 wrongly called.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(packages)
app.add_typer(decisions)


@app.callback()
def about() -> None:
    """There are only commands below this one."""
