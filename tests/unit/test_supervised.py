"""What follows one registry fails, and goes on; what follows the others never notices."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from pennant_operator.act.registry_status import RegistryStatusWriter
from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.registries.followed import RegistryDependencies
from pennant_operator.observe.registries.registries import Registries
from pennant_operator.observe.registries.supervised import RESTART_CAP_SECONDS, supervised
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import NOW
from pennant_testing.memory.written_tags import write_back

pytestmark = pytest.mark.unit


async def leaks() -> None:
    raise asyncio.CancelledError("of something inside of it")


async def raises() -> None:
    raise KeyError("webhook_id")


async def ends() -> None:
    return


HOW = [leaks, raises, ends]


@pytest.mark.parametrize("how", HOW)
def test_whatever_ends_it_is_told_and_it_is_begun_again_ever_later(
    how: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
):
    began, troubles = list[float](), list[str]()

    async def run() -> None:
        began.append(asyncio.get_running_loop().time())
        await how()

    async def report(trouble: str) -> None:
        troubles.append(trouble)
        await how()  # nor does it matter what becomes of that

    async def scenario() -> None:
        running = asyncio.create_task(supervised("the part", run, report))
        await asyncio.sleep(300)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    at_once(scenario())
    pauses = [round(later - first) for first, later in pairwise(began)]
    assert pauses == [
        1,
        2,
        4,
        8,
        16,
        32,
        RESTART_CAP_SECONDS,
        RESTART_CAP_SECONDS,
        RESTART_CAP_SECONDS,
    ]
    assert len(troubles) == len(began)
    assert "it tries again by itself" in troubles[0]
    assert "the part ended" in caplog.text


def test_after_it_went_well_for_long_it_is_begun_again_at_once():
    began = list[float]()

    async def run() -> None:
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0 if len(began) < 5 else 2 * RESTART_CAP_SECONDS)

    async def scenario() -> None:
        running = asyncio.create_task(supervised("the part", run, lambda _: ends()))
        await asyncio.sleep(200)
        running.cancel()
        await asyncio.wait([running])

    at_once(scenario())
    assert round(began[-1] - began[-2]) == 2 * RESTART_CAP_SECONDS + 1


class Api:
    """Two ModelRegistries; the Secret of one of them is a fault of ours."""

    def __init__(self, how: Callable[[], Awaitable[None]]) -> None:
        self.how = how
        self.read: list[str] = []

    async def list(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
        def named(name: str) -> dict[str, Any]:
            metadata = {"name": name, "namespace": namespace, "uid": name, "generation": 1}
            spec = {"url": "http://mlflow.example", "credentialsSecret": name}
            return {"metadata": metadata, "spec": spec | {"webhook": {"secret": {"name": name}}}}

        return [named("good"), named("faulty")]

    async def pages(
        self, kind: str, namespace: str, selector: str
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """No RolloutActions."""
        yield [], 1

    def stored(self, live: dict[str, Any]) -> dict[str, Any]:
        """The object by the time its status is written."""
        return live

    async def get(self, kind: str, namespace: str, name: str) -> None:
        self.read.append(name)
        if name == "faulty":
            await self.how()


def followed(made: Api) -> dict[str, dict[str, Any]]:
    """The conditions of each ModelRegistry after half an hour in which nothing ended."""
    written: dict[str, dict[str, Any]] = {}
    api: Any = made

    async def write_status(live: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        conditions = {each["type"]: each for each in status["conditions"]}
        written[live["metadata"]["name"]] = conditions
        return {**made.stored(live), "status": status}

    registries = Registries(
        RegistryDependencies(
            api=api,
            store=Store(),
            namespace="pennant-system",
            enqueue=lambda _, *, urgent=False: None,
            write_health=RegistryStatusWriter(write_status, lambda: NOW).write,
            counts=Uncounted(),
            now=lambda: NOW,
            random=lambda: 0.5,
            write_back=write_back(Store()),
        )
    )

    async def scenario() -> None:
        running = asyncio.create_task(registries.run())
        await asyncio.sleep(1000)
        made.read.clear()
        await asyncio.sleep(1000)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])

    at_once(scenario())
    return written


@pytest.mark.parametrize("how", [leaks, raises])
def test_a_fault_with_one_registry_is_that_registrys_status_and_the_others_go_on(
    how: Callable[[], Awaitable[None]],
):
    api = Api(how)
    written = followed(api)
    assert {"good", "faulty"} <= set(api.read)
    for condition in ("Ready", "Webhook"):
        state = written["faulty"][condition]
        assert state["status"] == "False"
        assert "the operator fails on what it was answered" in state["message"]
    assert "There is no Secret good" in written["good"]["Ready"]["message"]


def test_a_spec_that_nobody_thought_of_is_that_modelregistrys_own_trouble():
    class Odd(Api):
        async def list(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
            good, odd = await super().list(kind, namespace, selector)
            odd["spec"] = {"url": "http://mlflow.example", "webhook": "odd"}
            return [odd, good]

    written = followed(Odd(ends))
    assert "the operator fails on its spec" in written["faulty"]["Ready"]["message"]
    assert "There is no Secret good" in written["good"]["Ready"]["message"]


def test_a_spec_that_changes_while_its_status_is_written_is_followed():
    changed = dict[str, Any]()

    class Changing(Api):
        async def list(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
            return [changed or (await super().list(kind, namespace, selector))[0]]

        def stored(self, live: dict[str, Any]) -> dict[str, Any]:
            if not changed:
                changed.update(copy.deepcopy(live))
                changed["metadata"]["generation"] = 2
                changed["spec"]["credentialsSecret"] = "better"
            return copy.deepcopy(changed)

    assert "There is no Secret better" in followed(Changing(ends))["good"]["Ready"]["message"]


class Uncounted:
    """Counts nothing."""

    def answered(self, registry: str, at: object) -> None: ...
    def requested(self, registry: str, status: int, seconds: float) -> None: ...
    def braked(self, registry: str, *, on: bool) -> None: ...
    def lined_up(self, registry: str, under_way: int, waiting: int) -> None: ...
    def forget(self, registry: str) -> None: ...
