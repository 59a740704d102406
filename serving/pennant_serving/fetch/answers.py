"""What an HTTP error from the registry means: the model's fault, ours, or trouble that may pass.

Only MLflow's own words can make a version look broken. A 404 of an ingress, or a page of HTML, is
trouble on the way.
"""

from __future__ import annotations

import json
import ssl
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError

from pennant_serving.failures import PodError, Reason

EXCERPT_CHARACTERS = 200
"""Characters of a foreign answer that go into a message."""
PASSING_STATUSES = (404, 408, 425, 429)
"""4xx codes that may be different soon; a 404 here is not MLflow's."""


class Trouble(Exception):  # noqa: N818 - it is not an error until patience is over
    """Worth another try."""


class RangeRefused(Trouble):
    """Nothing goes on where a download broke off; worth a try from the start."""


def judge(url: str, error: HTTPError) -> PodError | Trouble:
    """The error to raise for an answer of status 4xx or 5xx."""
    text = _body(error)
    answer = _json_object(text)
    problem = f"{url} answered {error.code}: {_excerpt(text)}"
    if error.code == 404 and answer.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
        return PodError(Reason.BUNDLE_MISSING, f"the version's files are not there: {problem}")
    if "refers to a directory" in str(answer.get("detail")):
        return PodError(Reason.BUNDLE_MISSING, f"the version's folder is empty: {problem}")
    if "Invalid Host header" in text:
        advice = "add this host to MLFLOW_SERVER_ALLOWED_HOSTS of the MLflow server"
        return PodError(Reason.DOWNLOAD_FAILED, f"{problem}: {advice}")
    if error.code == 407:
        return _proxy_refuses(problem)
    if error.code == 400 and "SSL certificate" in text:  # nginx's own words
        return _certificate_refused(problem)
    if error.code in (401, 403):
        advice = "check serving.credentialsSecret and that this user may read the experiment"
        return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")
    if error.code == 416:
        return RangeRefused(f"answered 416: {_excerpt(text)}")
    if error.code < 500 and error.code not in PASSING_STATUSES:
        return PodError(Reason.DOWNLOAD_FAILED, problem)
    return Trouble(f"answered {error.code}, and not in MLflow's words: {_excerpt(text)}")


def unreachable(url: str, error: URLError) -> PodError | Trouble:
    """The error to raise when there is no answer."""
    why = error.reason
    if isinstance(why, ssl.SSLCertVerificationError):
        message = f"{url}: its certificate is not trusted ({why.verify_message}): set the"
        return PodError(Reason.DOWNLOAD_FAILED, f"{message} registry's caBundle")
    if isinstance(why, ssl.SSLError) and "alert" in str(why).lower():
        return _certificate_refused(f"{url}: {why.reason}")
    if "Tunnel connection failed: 407" in str(why):
        return _proxy_refuses(f"{url}: {why}")
    return Trouble(f"cannot be reached: {why}")


def _proxy_refuses(problem: str) -> PodError:
    advice = "put PROXY_USERNAME and PROXY_PASSWORD into serving.credentialsSecret"
    return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")


def _certificate_refused(problem: str) -> PodError:
    advice = "put tls.crt and tls.key that the server trusts into serving.credentialsSecret"
    return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")


def _body(error: HTTPError) -> str:
    try:
        return error.read(65536).decode("utf-8", "replace")
    except (OSError, HTTPException):  # its status alone must do then
        return ""


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _excerpt(text: str) -> str:
    short = " ".join(text.split())
    return short if len(short) <= EXCERPT_CHARACTERS else short[:EXCERPT_CHARACTERS] + "..."
