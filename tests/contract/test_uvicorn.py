"""The parts of uvicorn that our connections are made of, none of which it promises to keep."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from pennant_serving.http.connections.call import Call
from pennant_serving.http.connections.connection import HttpConnection

pytestmark = pytest.mark.contract

REPOSITORY = Path(__file__).parents[2]
GIVEN = (
    *("scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers"),
    *("message_event", "expect_100_continue", "keep_alive", "on_response"),
)
CYCLE = {
    *("scope", "flow", "disconnected", "keep_alive", "waiting_for_100_continue", "message_event"),
    *("on_response", "body", "more_body", "response_started", "response_complete"),
}
"""What we read, or set."""


class Transport:
    def __init__(self):
        self.written, self.closed = b"", False

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        """For `FlowControl`."""

    resume_reading = pause_reading


def test_it_is_the_version_that_was_looked_at_everywhere():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (pinned,) = (
        each for each in project["optional-dependencies"]["runtime"] if each.startswith("uvicorn")
    )
    assert pinned == f"uvicorn=={version('uvicorn')}"
    for lock in (REPOSITORY / "requirements").glob("*.txt"):
        found = re.findall(r"^uvicorn==\S+", lock.read_text(), re.MULTILINE)
        assert found in ([], [pinned]), lock.name


def test_a_request_is_made_of_what_we_give_and_has_what_we_use():
    assert tuple(inspect.signature(RequestResponseCycle).parameters) == GIVEN
    transport = Transport()
    given = dict.fromkeys(GIVEN) | {"transport": transport, "flow": FlowControl(transport)}
    assert set(vars(RequestResponseCycle(**given))) >= CYCLE
    assert inspect.iscoroutinefunction(RequestResponseCycle.run_asgi)
    assert inspect.iscoroutinefunction(RequestResponseCycle.receive)


def test_what_we_add_to_a_request_hides_nothing_of_uvicorns():
    own = {"number", "_connection", "_task", "_is_last"}
    methods = {"start", "leave", "feed", "end", "_answered"}
    given = dict.fromkeys(GIVEN) | {"transport": Transport()}
    theirs = {*dir(RequestResponseCycle), *vars(RequestResponseCycle(**given))}
    assert (own | methods).isdisjoint(theirs)
    assert methods <= set(vars(Call))


def test_writing_and_reading_stop_and_go_on_as_we_tell_them():
    flow = FlowControl(Transport())
    assert (flow.read_paused, flow.write_paused) == (False, False)
    flow.pause_reading()
    flow.pause_writing()
    assert flow.read_paused
    assert flow.write_paused
    flow.resume_reading()
    flow.resume_writing()
    assert (flow.read_paused, flow.write_paused) == (False, False)
    assert inspect.iscoroutinefunction(flow.drain)
    assert HIGH_WATER_LIMIT == 65536


def test_a_server_makes_connections_as_ours_are_made_and_ends_them_as_ours_end():
    assert set(vars(ServerState())) >= {"connections", "tasks", "default_headers"}
    made, theirs = (inspect.signature(each) for each in (HttpConnection, HttpToolsProtocol))
    assert tuple(made.parameters) == tuple(theirs.parameters)
    ending = inspect.getsource(Server.shutdown) + inspect.getsource(Server._wait_tasks_to_complete)
    assert re.findall(r"connection\.(\w+)", ending) == ["shutdown"]
    for name in ("startup", "shutdown", "capture_signals", "main_loop"):
        assert callable(getattr(Server, name))
