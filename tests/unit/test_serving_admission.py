"""What one process holds of requests is bounded, whichever way they came and whoever reads them."""

from __future__ import annotations

import contextlib

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pennant_serving import admission
from pennant_serving.admission import (
    ALL_BODIES_LIMIT_BYTES,
    BODY_LIMIT_BYTES,
    SMALL_BODY_BYTES,
    Admission,
)
from pennant_serving.errors import TooLarge, Unavailable
from pennant_testing.serving.app_builders import Echo, client

pytestmark = pytest.mark.unit


def test_large_requests_are_refused_while_others_take_the_room_and_small_ones_never():
    room = Admission()
    with contextlib.ExitStack() as stack:
        for _ in range(ALL_BODIES_LIMIT_BYTES // BODY_LIMIT_BYTES):
            stack.enter_context(room.reserve()).grow(BODY_LIMIT_BYTES)
        other = stack.enter_context(room.reserve())
        with pytest.raises(Unavailable, match=f"{ALL_BODIES_LIMIT_BYTES} bytes"):
            other.grow(SMALL_BODY_BYTES + 1)
        other.grow(SMALL_BODY_BYTES)


def test_what_was_held_is_given_back_also_when_it_was_refused():
    room = Admission()
    with pytest.raises(TooLarge), room.reserve() as reservation:
        reservation.grow(BODY_LIMIT_BYTES + 1)
    with room.reserve() as reservation:
        reservation.grow(10)
        reservation.grow(5)
        assert room.bytes == 5
        reservation.release()
        assert room.bytes == 0
    assert room.bytes == 0


class Reads(Echo):
    """Has a route that reads bodies by itself."""

    def routes(self):
        async def length(request: Request) -> Response:
            return PlainTextResponse(str(len(await request.body())))

        return [Route("/length", length, methods=["POST"])]


PATHS = ("/invocations", "/v2/models/iris/infer", "/length")


async def slowly():
    """A body that does not say how long it is."""
    yield b"0123456789"
    yield b"0"


@pytest.mark.parametrize("path", PATHS)
def test_a_body_above_the_limit_is_refused_on_every_route(monkeypatch, path):
    monkeypatch.setattr(admission, "BODY_LIMIT_BYTES", 10)
    http = client(Reads())
    assert http.post(path, content=b"x" * 11).status_code == 413
    assert http.post(path, content=slowly()).status_code == 413


@pytest.mark.parametrize("path", PATHS)
def test_a_large_body_is_refused_on_every_route_while_others_take_the_room(monkeypatch, path):
    monkeypatch.setattr(admission, "ALL_BODIES_LIMIT_BYTES", 9)
    monkeypatch.setattr(admission, "SMALL_BODY_BYTES", 5)
    http = client(Reads())
    refused = http.post(path, content=b"0123456789")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert http.post(path, content=b"01234").status_code in (200, 400)
