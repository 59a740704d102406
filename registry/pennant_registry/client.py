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
    from requests import RequestException

# One retry of a call that may take 4 s: a server that is down or silent is reported within 10 s.
# A value that the user has set wins.
SHORT_TIMEOUTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
# A server that proxies artifacts fetches a file from its store before it sends the first byte.
DOWNLOAD_TIMEOUTS = SHORT_TIMEOUTS | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}

NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"
INVALID = "INVALID_PARAMETER_VALUE"
EXISTS = "RESOURCE_ALREADY_EXISTS"


def connect() -> MlflowClient:
    """A client for MLFLOW_TRACKING_URI, or what `mlflow.set_tracking_uri` was given.

    Raises NotARegistryError for an address that cannot hold a registry.
    """
    environment.ensure_home()
    import mlflow
    from mlflow.exceptions import MlflowException

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
    except MlflowException as error:  # a kind of address that nothing installed here knows
        raise NotARegistryError(
            f"the tracking address {address} is none that the mlflow installed here takes for a "
            "registry: set MLFLOW_TRACKING_URI to a server (http://mlflow:5000), or install mlflow "
            "where it is a database's"
        ) from error


@contextlib.contextmanager
def asking(client: MlflowClient, timeouts: Mapping[str, str] = SHORT_TIMEOUTS) -> Iterator[None]:
    """Around whatever is asked of MLflow: short time-outs, and errors of this library for its own.

    Raises RegistryUnreachableError for no answer, or none of MLflow's. What MLflow itself refuses
    is a RegistryError with its `code`: the caller knows what not there or exists already means.
    """
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    with _defaults(timeouts):
        try:
            yield
        except MlflowException as error:
            if not _answered_by_mlflow(client, error):
                raise _unreachable(client, error) from error
            raise _refused(client, error, error.error_code) from error
        except RequestException as error:  # of artifacts, which MLflow's client hands on as it is
            code = _code(error)
            if code is None:
                raise _unreachable(client, error) from error
            raise _refused(client, error, code) from error


def _refused(client: MlflowClient, error: Exception, code: str) -> RegistryError:
    refusal = RegistryError(f"the registry at {client.tracking_uri} refused: {_in_short(error)}")
    refusal.code = code
    return refusal


def _unreachable(client: MlflowClient, error: Exception) -> RegistryUnreachableError:
    return RegistryUnreachableError(
        f"the registry at {client.tracking_uri} cannot be reached or does not answer as MLflow: "
        f"{_in_short(error)}. Check MLFLOW_TRACKING_URI and the server"
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


def _code(error: RequestException) -> str | None:
    """The code of an answer about an artifact if it is MLflow's own, by the same measure."""
    answer = error.response
    if answer is None or not 400 <= answer.status_code < 500:
        return None
    try:
        return str(answer.json()["error_code"])
    except (ValueError, TypeError, KeyError):
        return None


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


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
