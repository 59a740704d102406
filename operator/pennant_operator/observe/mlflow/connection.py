"""A connection to a ModelRegistry's server, with the credentials that its Secret holds now."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.observe.mlflow.credentials import Credentials, UnusableError, credentials
from pennant_operator.observe.mlflow.http import MlflowHttp
from pennant_operator.observe.mlflow.tls import UntrustableError
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError

ReadSecret: TypeAlias = Callable[[str], Awaitable[Mapping[str, str]]]  # RegistryTroubleError
Count: TypeAlias = Callable[[int, float], None]  # status and seconds of a request


async def read_credentials(spec: RegistrySpec, read_secret: ReadSecret) -> Mapping[str, str] | None:
    """What its Secret holds now, None where it names none; raises RegistryTroubleError."""
    name = spec.credentials_secret
    return None if name is None else await read_secret(name)


def connect(spec: RegistrySpec, secret: Mapping[str, str] | None, count: Count) -> MlflowHttp:
    """A connection to be closed after use; raises RegistryTroubleError."""
    try:
        parsed = Credentials() if secret is None else credentials(secret)
        return MlflowHttp(spec, parsed, count)
    except UnusableError as error:
        raise RegistryTroubleError(f"Secret {spec.credentials_secret} {error}") from error
    except UntrustableError as error:
        raise RegistryTroubleError(str(error)) from error
