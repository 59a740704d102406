"""Sends a message to a notifier's receiver: one request, bounded in time and in what is read of it.

The address is a secret. No exception that may hold it leaves this module, and no log knows it.
"""

import errno
from collections.abc import Callable
from datetime import datetime
from typing import Any

import aiohttp
from yarl import URL

from pennant_operator.decide.notify.notifiers import Notifier
from pennant_operator.decide.notify.receipts import (
    ReceiverAnswer,
    SendOutcome,
    judge_answer,
    no_answer,
)

SEND_SECONDS = 10.0  # for one message to a notifier
ANSWER_READ_BYTES = 1024  # of a receiver's answer that are looked at


class Sender:
    """Connections to receivers; close it after use."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, notifier: Notifier, url: str, body: Any) -> SendOutcome:
        """Post a body of JSON, follow nothing, and judge the answer. Raises nothing."""
        try:
            answer = await self._post(url, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, its words may hold the address
            return no_answer(notifier, _cause(error))
        return judge_answer(notifier, url, answer, self._now())

    async def _post(self, url: str, body: Any) -> ReceiverAnswer:
        if self._session is None:
            # No redirect, proxy or .netrc of the environment: it goes to that address only.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # a notifier sends one at a time
                timeout=aiohttp.ClientTimeout(total=SEND_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        # As it is written: a signature in it may not be put in other words.
        async with self._session.post(
            URL(url, encoded=True), json=body, allow_redirects=False
        ) as response:
            text = await response.content.read(ANSWER_READ_BYTES)
            retry_after = response.headers.get("Retry-After", "")
            return ReceiverAnswer(response.status, text.decode(errors="replace"), retry_after)


def _cause(error: Exception) -> str:
    """What went wrong, in words that know nothing of the address."""
    if isinstance(error, TimeoutError):
        return f"no answer within {SEND_SECONDS:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no such host"
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
