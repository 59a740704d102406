"""What a part of the soak runs against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.objects import Objects


@dataclass(frozen=True)
class Servers:
    """An API server with the definitions, and an MLflow server, both empty."""

    folder: Path
    objects: Objects
    audit: Audit
    kubeconfig: Path
    mlflow_url: str

    @property
    def mlflow_log(self) -> Path:
        return self.folder / "mlflow-server.log"
