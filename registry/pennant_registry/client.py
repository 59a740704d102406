"""The way to MLflow: a client for the configured address, short time-outs, and our errors for its.

MLflow's own defaults retry for four minutes before they say that a server is down; a pipeline and
a pod that starts want to know within seconds. mlflow is imported when a function runs, not before.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pennant_registry import environment
from pennant_registry.errors import NotARegistryError, RegistryError, RegistryUnreachableError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

# One retry of a call that may take 4 s: a server that is down or silent is reported within 10 s.
# A value that the user has set wins.
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}

NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"
INVALID = "INVALID_PARAMETER_VALUE"
EXISTS = "RESOURCE_ALREADY_EXISTS"


def connect() -> MlflowClient:
    """A client for MLFLOW_TRACKING_URI, or what `mlflow.set_tracking_uri` was given.

    Raises NotARegistryError for an address that cannot hold a registry.
    """
    environment.ensure_home()
    import mlflow

    address = mlflow.get_tracking_uri()
    if urlsplit(address).scheme in {"", "file"}:
        raise NotARegistryError(
            f"the tracking address is {address}, a plain file store, which cannot hold a model "
            "registry: set MLFLOW_TRACKING_URI to a server (http://mlflow:5000) or a database "
            "(sqlite:///mlflow.db)"
        )
    try:
        return mlflow.MlflowClient(tracking_uri=address)
    except ModuleNotFoundError as error:  # mlflow-skinny brings no database driver
        raise NotARegistryError(
            f"the tracking address {address} needs the package {error.name}, which is not "
            "installed: set MLFLOW_TRACKING_URI to a server, or install mlflow"
        ) from error


@contextlib.contextmanager
def asking(client: MlflowClient) -> Iterator[None]:
    """Around calls for metadata: short time-outs, and RegistryUnreachableError for no answer.

    Not there, invalid and exists already, when MLflow itself says so, pass through: the caller
    knows what they mean. Any other answer (no permission, say) is a RegistryError.
    """
    from mlflow.exceptions import MlflowException

    with _defaults(IMPATIENT):
        try:
            yield
        except MlflowException as error:
            if not _answered_by_mlflow(client, error):
                raise _unreachable(client, error) from error
            if error.error_code in {NOT_FOUND, INVALID, EXISTS}:
                raise
            raise RegistryError(
                f"the registry at {client.tracking_uri} refused: {_first_line(error)}"
            ) from error


def _unreachable(client: MlflowClient, error: MlflowException) -> RegistryUnreachableError:
    return RegistryUnreachableError(
        f"the registry at {client.tracking_uri} cannot be reached or does not answer as MLflow: "
        f"{_first_line(error)}. Check MLFLOW_TRACKING_URI and the server"
    )


def _answered_by_mlflow(client: MlflowClient, error: MlflowException) -> bool:
    """Whether MLflow said this, and not a proxy in front of it or the client on its own.

    A 404 page of an ingress becomes an MlflowException with MLflow's error code too, but only
    MLflow's JSON becomes a RestException. A 5xx is MLflow in trouble: no answer either.
    """
    from mlflow.exceptions import RestException

    status = int(error.get_http_status_code())  # MLflow's
    over_http = urlsplit(client.tracking_uri).scheme in {"http", "https"}
    return status < 500 and (isinstance(error, RestException) or not over_http)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


@contextlib.contextmanager
def _defaults(values: Mapping[str, str]) -> Iterator[None]:
    """MLflow reads these from the environment at each call; the user's own values win."""
    environ = os.environ  # noqa: TID251 -- MLflow's client has no other setting for it
    added = {name: value for name, value in values.items() if name not in environ}
    environ.update(added)
    try:
        yield
    finally:
        for name in added:
            environ.pop(name, None)
