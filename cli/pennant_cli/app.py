"""The program: the commands of all rooms, each with its arguments and help in its `commands.py`."""

from __future__ import annotations

import typer

from pennant_cli.checks.commands import checks
from pennant_cli.decisions.commands import decisions
from pennant_cli.packages.commands import packages
from pennant_cli.registry.commands import registry
from pennant_cli.serve.commands import serving

app = typer.Typer(
    help="Pennant rolls model-serving pods when an MLflow alias moves.\n\n"
    "The registry is the one of MLFLOW_TRACKING_URI. Exit codes: 0 done, 1 failed, "
    "2 wrongly called, 3 refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(registry)
app.add_typer(checks)
app.add_typer(packages)
app.add_typer(serving)
app.add_typer(decisions)


@app.callback()
def about() -> None:
    """There are only commands below this one."""
