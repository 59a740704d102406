"""What every command of `kubectl pennant` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of a ModelDeployment.")]
NamespaceOption = Annotated[
    str, typer.Option("--namespace", "-n", help="Absent: that of the kubeconfig's context.")
]
ContextOption = Annotated[str, typer.Option(help="Of the kubeconfig. Absent: its current one.")]
KubeconfigOption = Annotated[
    Path | None, typer.Option(help="Absent: KUBECONFIG, or ~/.kube/config.")
]


def api_of(namespace: str, context: str, kubeconfig: Path | None) -> Any:
    """The API server that these name; raises CommandError."""
    from pennant_cli.cluster.api import Where, connect

    return connect(Where(namespace, context, kubeconfig))
