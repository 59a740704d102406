"""Questions to an MLflow server that its client has no method for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pennant_registry.errors import without_accounts

SECONDS = 10.0
"""For one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a server. Status 0: there was none, and the text is why."""

    status: int
    text: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """Its JSON; empty where it is none."""
        try:
            parsed = json.loads(self.text)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass(frozen=True, slots=True)
class Server:
    """Behind MLFLOW_TRACKING_URI, which is shown the account and certificate of MLflow's client."""

    address: str

    @property
    def is_asked_by_http(self) -> bool:
        """Else it is a database, which nobody stands before."""
        return urlsplit(self.address).scheme in ("http", "https")

    @property
    def shown(self) -> str:
        """Its address, without an account that is written in it."""
        return without_accounts(self.address)

    @property
    def has_account(self) -> bool:
        """Whether a user or a token is named here."""
        creds = self._creds()
        return bool(creds.username or creds.token)

    def get(self, path: str, **query: str) -> Answer:
        """One question, asked once."""
        from mlflow.exceptions import MlflowException
        from mlflow.utils.rest_utils import http_request
        from requests import RequestException

        try:
            answer = http_request(
                *(self._creds(), path, "GET"),
                max_retries=0,
                timeout=SECONDS,
                raise_on_status=False,
                params=query or None,
            )
        except (MlflowException, RequestException) as error:
            return Answer(0, without_accounts(str(error)))
        return Answer(int(answer.status_code), str(answer.text))

    def _creds(self) -> Any:
        from mlflow.utils.credentials import get_default_host_creds

        return get_default_host_creds(self.address)
