"""A registry's Secrets: of the operator's own namespace, read by name (law 13)."""

import base64
import binascii
import contextlib
from collections.abc import Mapping

from pennant_operator.kube import Api, ApiError
from pennant_operator.observe.mlflow.credentials import EXPECTED_KEYS
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError


class SecretUnreadError(RegistryTroubleError):
    """The API server did not say what a Secret holds: it says nothing about the Secret."""


async def read_secret(
    api: Api, namespace: str, name: str, expected_keys: str = EXPECTED_KEYS
) -> Mapping[str, str]:
    """What a Secret holds; raises RegistryTroubleError. Never log it."""
    try:
        secret = await api.get("Secret", namespace, name)
    except ApiError as error:
        raise SecretUnreadError(f"Secret {name} cannot be read: {error}") from error
    if secret is None:
        raise RegistryTroubleError(
            f"There is no Secret {name} in namespace {namespace}: create it with {expected_keys}."
        )
    decoded = {}
    for key, value in (secret.get("data") or {}).items():
        # What is not text is nothing of ours, such as the key store that lies beside a tls.crt.
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            decoded[key] = base64.b64decode(value).decode()
    return decoded
