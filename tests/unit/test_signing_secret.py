"""Genuine hooks are taken at every moment while the Secret they are signed with is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from pennant_operator.observe.mlflow.secrets import SecretUnreadError
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.webhook.delivery import Delivery, signature
from pennant_operator.observe.webhook.signing_secret import (
    KEY,
    REPLACED_SECRET_SECONDS,
    SECRET_REREAD_SECONDS,
    SigningSecret,
)
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit

OLD, NEW, WRONG = "the old secret of a test", "the new secret of a test", "somebody's secret"


def hook(secret: str) -> Delivery:
    unsigned = Delivery("d", 1, "", b"{}")
    return Delivery("d", 1, signature(secret.encode(), unsigned), b"{}")


@dataclass
class Secret:
    """As the API server holds it; a read takes a second."""

    value: str = OLD
    unread: bool = False
    reads: int = 0
    signing: SigningSecret = field(init=False)

    def __post_init__(self) -> None:
        self.signing = SigningSecret("hooks", self._read)

    async def _read(self, name: str) -> Mapping[str, str]:
        self.reads += 1
        value = self.value
        await asyncio.sleep(1)
        if self.unread:
            raise SecretUnreadError("the API server is away")
        return {KEY: value}

    async def signed(self, secret: str) -> bool:
        return await self.signing.signed(hook(secret))


def test_what_comes_while_it_is_read_again_is_not_called_forged():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        reading = asyncio.create_task(secret.signing.value())
        await asyncio.sleep(0)
        assert await secret.signed(OLD)
        assert not reading.done()
        await reading

    at_once(scenario())


def test_of_many_that_come_with_a_new_secret_one_reads_and_all_are_taken():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        await asyncio.sleep(SECRET_REREAD_SECONDS)
        secret.value = NEW
        assert all(await asyncio.gather(*(secret.signed(NEW) for _ in range(20))))
        assert secret.reads == 2

    at_once(scenario())


def test_both_are_valid_for_a_bounded_time():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        secret.value = NEW
        await secret.signing.value()
        assert await secret.signed(OLD)
        assert await secret.signed(NEW)
        await asyncio.sleep(REPLACED_SECRET_SECONDS)
        assert not await secret.signed(OLD)
        assert await secret.signed(NEW)

    at_once(scenario())


def test_a_secret_that_is_gone_is_valid_no_longer_than_a_replaced_one():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        secret.value = ""
        with pytest.raises(RegistryTroubleError, match="holds no webhook-secret"):
            await secret.signing.value()
        assert await secret.signed(OLD)
        await asyncio.sleep(REPLACED_SECRET_SECONDS)
        with pytest.raises(RegistryTroubleError, match="holds no webhook-secret"):
            await secret.signed(OLD)
        secret.value = NEW
        await asyncio.sleep(SECRET_REREAD_SECONDS)
        assert await secret.signed(NEW)

    at_once(scenario())


def test_an_api_server_that_is_away_says_nothing_of_the_secret():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        secret.unread = True
        await asyncio.sleep(SECRET_REREAD_SECONDS)
        with pytest.raises(RegistryTroubleError, match="away"):
            await secret.signed(WRONG)  # it may be the new one: MLflow is to try again
        await asyncio.sleep(10 * REPLACED_SECRET_SECONDS)
        assert await secret.signed(OLD)

    at_once(scenario())


def test_strangers_cause_few_reads():
    async def scenario() -> None:
        secret = Secret()
        await secret.signing.value()
        for _ in range(100):
            assert not await secret.signed(WRONG)
        assert secret.reads == 1
        await asyncio.sleep(SECRET_REREAD_SECONDS)
        await asyncio.gather(*(secret.signed(WRONG) for _ in range(100)))
        assert secret.reads == 2

    at_once(scenario())
