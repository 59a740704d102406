"""What this library takes from the environment, read once for each call, and what mlflow needs."""

from __future__ import annotations

import getpass
import os
import re
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INDEXES = (
    (("UV_DEFAULT_INDEX", "UV_INDEX_URL"), ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
    (("PIP_INDEX_URL",), ("PIP_EXTRA_INDEX_URL",)),
)
"""Of each program: where its one index is named, and where those beside it are."""
NETWORK = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
_NAMED = re.compile(r"^[\w-]+=(?=https?://)")  # uv's indexes may have names


@dataclass(frozen=True, slots=True)
class Environment:
    """`model_path`: PENNANT_MODEL_PATH, the mounted bundle of a pod that Pennant runs.

    `actor`: who promotes: MLFLOW_TRACKING_USERNAME, or the login name, with the host.
    """

    model_path: Path | None
    actor: str
    index_urls: tuple[str, ...] = ()
    """Of package indexes, as uv's variables name them, else pip's: UV_DEFAULT_INDEX, UV_INDEX_URL
    or PIP_INDEX_URL, behind UV_INDEX and UV_EXTRA_INDEX_URL, or PIP_EXTRA_INDEX_URL."""
    network: Mapping[str, str] = field(default_factory=dict)
    """The variables of proxies and certificates."""

    @classmethod
    def read(cls) -> Environment:
        """The environment of this process."""
        return cls.of(os.environ)  # noqa: TID251 -- this is the edge

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Environment:
        path = variables.get("PENNANT_MODEL_PATH")
        user = variables.get("MLFLOW_TRACKING_USERNAME") or _login_name()
        return cls(
            Path(path) if path else None,
            f"{user}@{socket.gethostname()}",
            _index_urls(variables),
            {name: text for name, text in variables.items() if name.upper() in NETWORK},
        )


def ensure_home() -> None:
    """Gives the process a home if it has none: without one, `import mlflow` itself fails.

    So it is for a container's user id that is in no /etc/passwd, when HOME is not set either.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = tempfile.gettempdir()  # noqa: TID251 -- mlflow looks there only


def _index_urls(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The one that is asked first at the front. Those of uv are not mixed with those of pip."""
    for main, more in INDEXES:
        default = next((url for name in main if (url := variables.get(name))), None)
        if default is not None:
            extra = [url for name in more for url in variables.get(name, "").split()]
            return (*(_NAMED.sub("", url) for url in extra), default)
    return ()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id often has no entry in /etc/passwd
        return str(os.getuid())
