"""The secret that MLflow signs a registry's webhooks with: read from its Secret as it changes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from pennant_operator.observe.delivery import Delivery
from pennant_operator.observe.trouble import RegistryTroubleError

KEY = "webhook-secret"
SHORTEST = 16  # characters: a guess costs an attacker one request
PACE = 5.0  # seconds between two reads that strangers can cause


class SigningSecret:
    """One key of one Secret; `read` gives what a Secret of a name holds."""

    def __init__(self, name: str, read: Callable[[str], Awaitable[Mapping[str, str]]]) -> None:
        self._name = name
        self._read = read
        self._value = ""
        self._read_at = float("-inf")

    async def value(self) -> str:
        """As it is now; raises RegistryTroubleError when there is none."""
        self._read_at = asyncio.get_running_loop().time()
        self._value = ""
        value = (await self._read(self._name)).get(KEY, "").strip()
        if len(value) < SHORTEST:
            raise RegistryTroubleError(
                f"Secret {self._name} holds no {KEY} of {SHORTEST} characters or more: give it "
                "the secret that MLflow signs with."
            )
        self._value = value
        return value

    async def signed(self, hook: Delivery) -> bool:
        """Whether MLflow made a hook; raises RegistryTroubleError while nobody can tell."""
        if self._value and hook.signed_with(self._value.encode()):
            return True
        if asyncio.get_running_loop().time() < self._read_at + PACE:
            return False
        return hook.signed_with((await self.value()).encode())  # it may have changed
