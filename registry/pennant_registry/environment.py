"""What this library takes from the environment, read once for each call, and what mlflow needs."""

from __future__ import annotations

import getpass
import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """`model_path`: PENNANT_MODEL_PATH, the mounted bundle of a pod that Pennant runs.

    `actor`: who promotes: MLFLOW_TRACKING_USERNAME, or the login name, with the host.
    """

    model_path: Path | None
    actor: str

    @classmethod
    def read(cls) -> Environment:
        """The environment of this process."""
        return cls.of(os.environ)  # noqa: TID251 -- this is the edge

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Environment:
        path = variables.get("PENNANT_MODEL_PATH")
        user = variables.get("MLFLOW_TRACKING_USERNAME") or _login_name()
        return cls(Path(path) if path else None, f"{user}@{socket.gethostname()}")


def ensure_home() -> None:
    """Gives the process a home if it has none: without one, `import mlflow` itself fails.

    So it is for a container's user id that is in no /etc/passwd, when HOME is not set either.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = tempfile.gettempdir()  # noqa: TID251 -- mlflow looks there only


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id often has no entry in /etc/passwd
        return str(os.getuid())
