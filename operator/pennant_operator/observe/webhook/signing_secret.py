"""The secret that MLflow signs a registry's webhooks with: read from its Secret as it changes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from pennant_operator.observe.mlflow.secrets import SecretUnreadError
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.webhook.delivery import Delivery

KEY = "webhook-secret"
# characters of webhook-secret: a guess costs an attacker one request
SECRET_CHARACTERS_MINIMUM = 16
SECRET_REREAD_SECONDS = 5.0  # between two reads of the signing Secret that strangers can cause
# for which a replaced webhook-secret is still valid: MLflow may not know yet
REPLACED_SECRET_SECONDS = 60.0


class SigningSecret:
    """One key of one Secret; `read` gives what a Secret of a name holds."""

    def __init__(self, name: str, read: Callable[[str], Awaitable[Mapping[str, str]]]) -> None:
        self._name = name
        self._read = read
        self._value = ""
        self._replaced: tuple[str, float] = ("", 0.0)  # and until when it is valid
        self._trouble = ""
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def value(self) -> str:
        """As it is now; raises RegistryTroubleError when there is none."""
        async with self._reading:
            return await self._reread()

    async def signed(self, hook: Delivery) -> bool:
        """Whether MLflow made a hook; raises RegistryTroubleError while nobody can tell."""
        if self._signed(hook):
            return True
        async with self._reading:  # whoever comes while it is read waits for what is read
            if not self._signed(hook) and self._now() >= self._read_at + SECRET_REREAD_SECONDS:
                await self._reread()
        if self._signed(hook):
            return True
        if self._trouble:
            raise RegistryTroubleError(self._trouble)
        return False

    def _signed(self, hook: Delivery) -> bool:
        before, until = self._replaced
        known = (self._value, before if self._now() < until else "")
        return any(hook.signed_with(each.encode()) for each in known if each)

    async def _reread(self) -> str:
        self._read_at = self._now()
        try:
            value = await self._read_value()
        except RegistryTroubleError as error:
            self._trouble = str(error)
            if not isinstance(error, SecretUnreadError):  # that says nothing of what it holds
                self._replace("")
            raise
        self._trouble = ""
        self._replace(value)
        return value

    async def _read_value(self) -> str:
        value = (await self._read(self._name)).get(KEY, "").strip()
        if len(value) < SECRET_CHARACTERS_MINIMUM:
            raise RegistryTroubleError(
                f"Secret {self._name} holds no {KEY} of {SECRET_CHARACTERS_MINIMUM} "
                "characters or more: give it the secret that MLflow signs with."
            )
        return value

    def _replace(self, value: str) -> None:
        if self._value and value != self._value:
            self._replaced = self._value, self._now() + REPLACED_SECRET_SECONDS
        self._value = value

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
