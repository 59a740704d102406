"""An MLflow server that asks who is there: `--app-name basic-auth`, its users and their rights."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennant_testing.mlflow.mlflow_server import mlflow_server

ADMIN = ("admin", "of-the-administrator")


@dataclass(frozen=True)
class Guarded:
    """The server; its administrator makes users and lets them read."""

    url: str

    def user(self, name: str) -> dict[str, str]:
        """A user without any right, as a Secret holds it."""
        password = f"the-secret-of-{name}"
        self._ask("2.0/mlflow/users/create", username=name, password=password)
        return {"MLFLOW_TRACKING_USERNAME": name, "MLFLOW_TRACKING_PASSWORD": password}

    def may_read(self, user: str, kind: str, name: str) -> None:
        """Kind is `registered_model` or `experiment`."""
        self.may(user, "READ", kind, name)

    def may(self, user: str, permission: str, kind: str, name: str) -> None:
        """Likewise, of a permission as MLflow calls it."""
        grant = {"username": user, "resource_type": kind, "resource_id": name}
        self._ask("3.0/mlflow/users/permissions/grant", **grant, permission=permission)

    def _ask(self, path: str, **body: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, self.url, *ADMIN, is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
        opener.open(request, timeout=120).close()


@contextlib.contextmanager
def guarded(folder: Path, store: str) -> Iterator[Guarded]:
    """A server over this database whose new users may do nothing."""
    settings = folder / "basic_auth.ini"
    settings.write_text(
        "[mlflow]\n"
        "default_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{folder}/basic_auth.db\n"
        f"admin_username = {ADMIN[0]}\n"
        f"admin_password = {ADMIN[1]}\n"
        "auth_cache_ttl_seconds = 600\n"  # a password costs it a third of a second
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    environ = {
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for the tests",
    }
    with mlflow_server(
        folder, store=store, arguments=["--app-name", "basic-auth"], environ=environ
    ) as url:
        yield Guarded(url)
