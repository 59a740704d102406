"""A connection to a ModelRegistry's server, with the credentials that its Secret holds now."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from pennant_operator.decide.registries import RegistrySpec
from pennant_operator.observe.mlflow_http import MlflowHttp, RegistryTroubleError, credentials

ReadSecret: TypeAlias = Callable[[str], Awaitable[Mapping[str, str]]]  # RegistryTroubleError
Count: TypeAlias = Callable[[int, float], None]  # status and seconds of a request


async def connect(spec: RegistrySpec, read_secret: ReadSecret, count: Count) -> MlflowHttp:
    """A connection to be closed after use; raises RegistryTroubleError."""
    name, authorization = spec.credentials_secret, None
    if name is not None:
        authorization = credentials(await read_secret(name))
        if authorization is None:
            raise RegistryTroubleError(
                f"Secret {name} holds no credentials: give it MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
            )
    return MlflowHttp(spec, authorization, count)
