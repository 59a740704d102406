"""docs/lobby.md has the lobby's settings and limits, as the code has them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pennant_serving.address import Address
from pennant_serving.http.connections.limits import HEAD_LIMIT_BYTES
from pennant_serving.lobby import http, relay
from pennant_serving.lobby.buffer import Pages
from pennant_serving.lobby.settings import LobbySettings

pytestmark = pytest.mark.contract

PAGE = (Path(__file__).parents[2] / "docs" / "lobby.md").read_text()
TO = {"PENNANT_LOBBY_TO": "pods:80"}
DEFAULTS = LobbySettings(Address("pods", 80))
VARIABLES = dict(re.findall(r"^\| `(PENNANT_\w+)` \| ?`?(\w*)`? \|", PAGE, re.MULTILINE))
LIMITS = dict(re.findall(r"^\| ([a-z][\w ,']+) \| ([\d,]+) \|", PAGE, re.MULTILINE))


def test_every_setting_has_a_variable_on_the_page_with_its_default():
    written = LobbySettings.from_env({name: VARIABLES[name] for name in VARIABLES} | TO)
    assert written == DEFAULTS
    changed = {
        field.name
        for variable in VARIABLES
        for value in ("pods:81", "1048577", "7")
        for field in fields(LobbySettings)
        if _changes(variable, value, field.name)
    }
    assert changed == {field.name for field in fields(LobbySettings)}


def _changes(variable: str, value: str, name: str) -> bool:
    try:
        return bool(
            getattr(LobbySettings.from_env(TO | {variable: value}), name) != getattr(DEFAULTS, name)
        )
    except ValueError:  # not of this variable
        return False


def test_every_limit_stands_on_the_page():
    assert {what: float(number.replace(",", "")) for what, number in LIMITS.items()} == {
        "seconds that a request waits, in all": DEFAULTS.max_wait,
        "bytes of requests in memory, in all": DEFAULTS.max_bytes,
        "seconds from SIGTERM to the end, at most": DEFAULTS.drain_seconds,
        "connections at a time": Pages(DEFAULTS.max_bytes).places,
        "bytes of a request's head": HEAD_LIMIT_BYTES,
        "seconds for a head to arrive": http.HEAD_SECONDS,
        "seconds in which a client reads nothing of its answer": relay.STALL_SECONDS,
        "pods that get the same request": len(relay.PAUSES_SECONDS),
    }
