"""A registry's Secrets: of the operator's own namespace, read by name (law 13)."""

import base64
import binascii
from collections.abc import Mapping

from pennant_operator.kube import Api, ApiError
from pennant_operator.observe.mlflow_http import RegistryTroubleError

CREDENTIALS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"


async def read_secret(
    api: Api, namespace: str, name: str, holding: str = CREDENTIALS
) -> Mapping[str, str]:
    """What a Secret holds; raises RegistryTroubleError. Never log it."""
    try:
        secret = await api.get("Secret", namespace, name)
    except ApiError as error:
        raise RegistryTroubleError(f"Secret {name} cannot be read: {error}") from error
    if secret is None:
        raise RegistryTroubleError(
            f"There is no Secret {name} in namespace {namespace}: create it with {holding}."
        )
    try:
        return {k: base64.b64decode(v).decode() for k, v in (secret.get("data") or {}).items()}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RegistryTroubleError(f"Secret {name} holds a value that is not text.") from error
