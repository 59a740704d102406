"""Where MLflow's webhooks come in: POST /hooks/<registry>, on a port of its own.

Anybody may knock, so each step costs less than the next: the rate, the size, whether this process
leads, the signature. A replica that stands by hands on what it gets, unopened, to the one that
leads: that one knows the registries and their secrets, and judges as if it had come directly.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from pennant_operator.observe.webhook.webhook import Outcome, Webhook
from pennant_operator.run.http.listening import listen
from pennant_operator.token_bucket import TokenBucket

HOOKS_PER_SECOND_LIMIT = 100.0  # webhooks a second of each registry, once a burst is over
HOOKS_BURST_LIMIT = 200  # webhooks of each registry at once
BODY_LIMIT_BYTES = 64 * 1024  # of a webhook; one about an alias has less than 1 kB
BODY_SECONDS = 5.0  # for a webhook's body to arrive
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")  # what the API server lets a registry be called

Find: TypeAlias = Callable[[str], Webhook | None]
Forward: TypeAlias = Callable[[str, Mapping[str, str], bytes], Awaitable[int | None]]
"""Hands a hook on; the status to answer, or None where this process is to take it itself."""


class Turned(StrEnum):
    """Why a hook was not looked at."""

    UNKNOWN_REGISTRY = "unknown_registry"
    LIMITED = "limited"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    FORWARDED = "forwarded"


# MLflow tries again on 429 and 5xx only.
ANSWERS = {
    Outcome.ACCEPTED: HTTPStatus.OK,
    Outcome.UNWATCHED: HTTPStatus.OK,
    Outcome.IGNORED: HTTPStatus.OK,
    Outcome.DUPLICATE: HTTPStatus.OK,
    Outcome.FORGED: HTTPStatus.UNAUTHORIZED,
    Outcome.UNTIMELY: HTTPStatus.UNAUTHORIZED,
    Outcome.MALFORMED: HTTPStatus.BAD_REQUEST,
    Outcome.NO_SECRET: HTTPStatus.SERVICE_UNAVAILABLE,
    Turned.UNKNOWN_REGISTRY: HTTPStatus.NOT_FOUND,
    Turned.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Turned.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Turned.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
}


class Receiver:
    """Answers webhooks; `count` is told registry and result of each."""

    def __init__(
        self, find: Find, count: Callable[[str, str], None], forward: Forward | None = None
    ) -> None:
        self._find = find
        self._count = count
        self._forward = forward
        self._strangers = TokenBucket(HOOKS_PER_SECOND_LIMIT, HOOKS_BURST_LIMIT)
        self._buckets: dict[str, TokenBucket] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """One hook."""
        name = request.match_info["registry"]
        webhook = self._find(name)
        known = name if webhook is not None else ""
        if not self._bucket(known).take():
            return self._response(known, Turned.LIMITED)
        if webhook is None and not _NAME.fullmatch(name):
            return self._response("", Turned.UNKNOWN_REGISTRY)
        body = await _body(request)
        if isinstance(body, Turned | Outcome):
            return self._response(known, body)
        if self._forward is not None:
            status = await self._forward(f"/hooks/{name}", request.headers, body)
            if status is not None:
                self._count(known, Turned.FORWARDED)
                return web.Response(status=status)
        if webhook is None:
            return self._response("", Turned.UNKNOWN_REGISTRY)
        return self._response(name, await webhook.take(request.headers, body))

    def _bucket(self, known: str) -> TokenBucket:
        if not known:
            return self._strangers
        return self._buckets.setdefault(
            known, TokenBucket(HOOKS_PER_SECOND_LIMIT, HOOKS_BURST_LIMIT)
        )

    def _response(self, known: str, outcome: Outcome | Turned) -> web.Response:
        self._count(known, outcome)
        later = {"Retry-After": "1"} if outcome is Turned.LIMITED else {}
        return web.Response(status=ANSWERS[outcome], text=f"{outcome}\n", headers=later)


async def serve(host: str, port: int, receiver: Receiver) -> web.AppRunner:
    """A running server; `cleanup()` of what is returned ends it."""
    app = web.Application(client_max_size=BODY_LIMIT_BYTES)
    app.add_routes([web.post("/hooks/{registry}", receiver.answer)])
    return await listen(app, host, port)


async def _body(request: web.Request) -> bytes | Turned | Outcome:
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        return Turned.TOO_LARGE
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Turned.TOO_LARGE
    except web.RequestPayloadError:
        return Outcome.MALFORMED
    except TimeoutError:
        return Turned.TOO_SLOW
