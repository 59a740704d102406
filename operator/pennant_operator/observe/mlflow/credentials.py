"""What a registry's Secret makes the operator to the registry, and to the proxy on the way there.

Pure: from a Secret's decoded data to headers and PEM. Nothing of it is ever printed.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

USERNAME, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 - a key
CERTIFICATE, PRIVATE_KEY = "tls.crt", "tls.key"
PROXY_USERNAME, PROXY_PASSWORD = "PROXY_USERNAME", "PROXY_PASSWORD"
EXPECTED_KEYS = f"{USERNAME} and {PASSWORD}, {TOKEN}, or {CERTIFICATE} and {PRIVATE_KEY}"


class UnusableError(ValueError):
    """A Secret that cannot be used; the message says what it lacks, and no value."""


@dataclass(frozen=True)
class Credentials:
    """Everything may be absent: a server may ask for nothing."""

    authorization: str | None = field(default=None, repr=False)  # the header's value
    certificate: tuple[str, str] | None = field(default=None, repr=False)  # PEM: chain and key
    proxy_authorization: str | None = field(default=None, repr=False)


def credentials(secret: Mapping[str, str]) -> Credentials:
    """From a Secret's decoded data; raises UnusableError. Like MLflow's client, a user name wins
    over a token.
    """
    user, token = _pair(secret, USERNAME, PASSWORD), secret.get(TOKEN, "").strip()
    certificate = _pair(secret, CERTIFICATE, PRIVATE_KEY)
    proxy = _pair(secret, PROXY_USERNAME, PROXY_PASSWORD)
    if not (user or token or certificate or proxy):
        raise UnusableError(f"holds no credentials: give it {EXPECTED_KEYS}.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UnusableError(f"holds a {TOKEN} with a space or line break in it: write it anew.")
    return Credentials(
        authorization=_basic(*user) if user else f"Bearer {token}" if token else None,
        certificate=certificate,
        proxy_authorization=_basic(*proxy) if proxy else None,
    )


def _pair(secret: Mapping[str, str], first: str, second: str) -> tuple[str, str] | None:
    """Both values, without the line break that `echo` and editors leave at the end of them."""
    one, other = (secret.get(key, "").rstrip("\r\n") for key in (first, second))
    if not one and not other:
        return None
    if not one or second not in secret:
        lacking, there = (second, first) if one else (first, second)
        raise UnusableError(f"holds {there} and no {lacking}: give it both.")
    return one, other


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
