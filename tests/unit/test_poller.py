"""When a poller asks, and what of: between two polls what is new, hinted at, or perhaps absent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.registry.health import Health
from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import Absent, ModelVersion, Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.poll.known import ABSENCE_CONFIRMATION_SECONDS, Known, WatchAnswer
from pennant_operator.observe.poll.poller import Poller, PollerDependencies
from pennant_registry.hold_form import Hold, Holds
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

KEY = ("team", "rec")
WATCH = Watch("default", "news", alias="production")
SEVEN = ModelVersion("news", "7", 1, "mlflow-artifacts:/1/r/m", registered=1)
GONE = Absent("AliasNotSet", "the alias points at nothing")


class Alias:
    """In place of a line to a server: where the alias points, and when that was asked."""

    def __init__(self) -> None:
        self.at: ModelVersion | None = SEVEN
        self.holds = Holds()
        self.asked: list[float] = []
        self.server_version = "3.17.2"
        self.known = Known()
        self.fault: Exception | None = None

    async def ask(self, watches: Collection[Watch], answered: Callable[[Watch], None]) -> None:
        now = asyncio.get_running_loop().time()
        if WATCH in watches:
            self.asked.append(now)
        if self.fault:
            raise self.fault
        for watch in watches:
            self.known.holds[watch] = self.holds
            if self.at:
                self.known.answered(watch, self.at, None)
            else:
                self.known.doubted(watch, GONE, now)
            answered(watch)

    async def drop(self) -> None:
        """It is made anew."""


class Scene:
    """A poller of one ModelDeployment, and what it told."""

    def __init__(self, alias: Alias, interval: str, status: dict[str, Any] | None = None) -> None:
        self.alias = alias
        self.enqueued: list[Key] = []
        self.health: list[Health] = []
        store = Store()
        meta = {"name": KEY[1], "namespace": KEY[0], "uid": "u", "resourceVersion": "1"}
        spec = {"registry": "default", "model": {"name": "news", "alias": "production"}}
        own = {"kind": "ModelDeployment", "metadata": meta, "spec": spec, "status": status or {}}
        store.put(own)
        given = {"url": "http://mlflow.example:5000", "pollInterval": interval}
        self.poller = Poller(
            parse_registry({"metadata": {"name": "default"}, "spec": given}),
            store,
            PollerDependencies(
                self._read, self._enqueue, self._report, lambda *_: None, lambda: NOW, lambda: 0.5
            ),
            alias.known,
        )

    def desired(self) -> Any:
        return self.poller.desired(WATCH, KEY)

    async def _read(self, _: str) -> Any:
        raise AssertionError("no Secret is named")

    async def _report(self, health: Health) -> None:
        self.health.append(health)

    def _enqueue(self, keys: Iterable[Key], *, urgent: bool = False) -> None:
        self.enqueued.extend(keys)


def scene(
    scenario: Callable[[Scene], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
    interval: str,
    status: dict[str, Any] | None = None,
) -> Scene:
    made = Scene(Alias(), interval, status)
    monkeypatch.setattr(made.poller, "_link", made.alias)

    async def run() -> None:
        running = asyncio.create_task(made.poller.run())
        await asyncio.sleep(0.5)
        await scenario(made)
        running.cancel()
        await asyncio.wait([running])

    at_once(run())
    return made


@pytest.mark.parametrize("interval", ["1s", "15s", "10m"])
@pytest.mark.parametrize("hooks", [0, 1000])
def test_an_absence_is_confirmed_five_seconds_after_it_was_seen_however_often_polls_are(
    monkeypatch: pytest.MonkeyPatch, interval: str, hooks: int
):
    async def scenario(made: Scene) -> None:
        loop, alias = asyncio.get_running_loop(), made.alias
        assert made.desired() == SEVEN
        alias.at = None
        made.poller.ask_soon(WATCH)  # a webhook says so
        await asyncio.sleep(0.5)
        seen = alias.asked[-1]
        for _ in range(hooks):
            made.poller.ask_soon(WATCH)
            await asyncio.sleep(0.004)
        await asyncio.sleep(seen + ABSENCE_CONFIRMATION_SECONDS - 0.1 - loop.time())
        assert made.desired() == SEVEN
        await asyncio.sleep(1.2)
        assert made.desired() == GONE

    scene(scenario, monkeypatch, interval)


def test_an_alias_that_flaps_is_never_absent(monkeypatch: pytest.MonkeyPatch):
    async def scenario(made: Scene) -> None:
        for _ in range(20):
            made.alias.at = None
            made.poller.ask_soon(WATCH)
            await asyncio.sleep(4)
            made.alias.at = SEVEN
            made.poller.ask_soon(WATCH)
            await asyncio.sleep(2)
            assert made.desired() == SEVEN
        made.enqueued.clear()
        await asyncio.sleep(60)

    made = scene(scenario, monkeypatch, "10m")
    assert made.enqueued == []


def test_what_was_never_there_is_told_with_the_first_answer(monkeypatch: pytest.MonkeyPatch):
    made = Scene(Alias(), "10m")
    made.alias.at = None
    monkeypatch.setattr(made.poller, "_link", made.alias)

    async def run() -> None:
        running = asyncio.create_task(made.poller.run())
        await asyncio.sleep(0.5)
        assert made.desired() == Unresolved(GONE.reason, GONE.message)
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS + 1)
        assert made.desired() == GONE
        running.cancel()
        await asyncio.wait([running])

    at_once(run())


def test_a_fault_is_an_outage_and_what_was_known_stands(monkeypatch: pytest.MonkeyPatch):
    async def scenario(made: Scene) -> None:
        await made.poller.fault("the operator fails")
        assert made.desired() == SEVEN
        assert made.health[-1].trouble == "the operator fails"

    scene(scenario, monkeypatch, "15s")


def test_the_log_tells_a_move_once_and_nothing_of_where_it_was_all_along(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """What could not be resolved at first is at the version that it was said to be at."""
    caplog.set_level("INFO")

    async def scenario(made: Scene) -> None:
        await asyncio.sleep(20)
        made.alias.known.answers[WATCH] = WatchAnswer(
            Unresolved("VersionNotResolved", "no run", "7")
        )
        await asyncio.sleep(20)
        assert made.desired() == SEVEN
        made.alias.at = replace(SEVEN, version="8")
        await asyncio.sleep(40)

    scene(scenario, monkeypatch, "15s")
    logged = [r.getMessage() for r in caplog.records if "is version" in r.getMessage()]
    assert logged == ["registry default: alias production of model news is version 8, was 7"]


def test_a_hold_that_comes_or_goes_is_announced_with_the_poll_that_sees_it_and_once(
    monkeypatch: pytest.MonkeyPatch,
):
    async def scenario(made: Scene) -> None:
        for holds in (Holds(Hold("incident 12")), Holds()):
            made.enqueued.clear()
            made.alias.holds = holds
            made.poller.ask_soon(WATCH)
            await asyncio.sleep(0.5)
            made.poller.ask_soon(WATCH)
            await asyncio.sleep(2)
            assert (made.enqueued, made.poller.holds(WATCH)) == ([KEY], holds)

    scene(scenario, monkeypatch, "10m")


def test_who_begins_knows_by_the_statuses_what_was_on_hold(monkeypatch: pytest.MonkeyPatch):
    async def scenario(made: Scene) -> None:
        assert made.alias.known.held_before == {WATCH}

    scene(scenario, monkeypatch, "10m", {"hold": {"tag": "t", "reason": "incident 12"}})
