"""A registry that is pretended, and the poller that asks it what gates want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import GateFacts, ModelVersion
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion
from pennant_operator.observe.poll.gate_questions import GateQuestion, gate_question
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.poller import Poller, PollerDependencies
from pennant_registry.gates import NO_GATES, Gates
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import NOW

KEY, OTHER = ("team", "rec"), ("team", "shadow")
WATCH = Watch("default", "news", alias="production")
EIGHT = ModelVersion("news", "8", 80, "mlflow-artifacts:/1/r/m", registered=1)
METRICS = {"metrics": [{"name": "auc", "min": "0.8"}]}
DROP = {"metrics": [{"name": "auc", "maxDrop": "0.01"}]}
TAGS = {"tags": [{"key": "approved"}]}
FLAVORS = {"flavors": ["sklearn"]}
SIGNATURE = {"signature": "Compatible"}
CLOSED = {"closed": [{"cron": "0 18 * * 5", "for": "62h"}]}
MLMODEL = "flavors: {sklearn: {}}\nsignature: null\n"


class PretendedMlflow:
    """A registry with two versions, and every question that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tags = {"8": {"note": "x"}}
        self.metrics = {"run-8": {"auc": 0.9}, "run-7": {"auc": 0.91}}
        self.fails: dict[str, Exception] = {}
        self.model_id = ""
        self.mlmodel = MLMODEL

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        for part, error in self.fails.items():
            if question.startswith(part):
                raise error

    async def model(self, name: str) -> RegisteredModel:
        self._ask("model")
        return RegisteredModel(1, 1, {"production": "8"}, {})

    async def version(self, model: str, number: str) -> RegisteredVersion:
        self._ask(f"version {number}")
        return RegisteredVersion(
            model,
            number,
            10 * int(number),
            f"runs:/run-{number}/m",
            image=self.tags.get(number, {}).get("pennant.image"),
            tags=self.tags.get(number, {}),
            run_id=f"run-{number}",
            model_id=self.model_id,
        )

    async def resolve(self, entry: RegisteredVersion) -> ModelVersion:
        self._ask(f"source {entry.version}")
        return ModelVersion(
            entry.name, entry.version, entry.created, "mlflow-artifacts:/1/r/m", image=entry.image
        )

    async def metrics_of_run(self, run: str) -> dict[str, float]:
        self._ask(run)
        return self.metrics[run]

    async def metrics_of_model(self, model_id: str) -> dict[str, float]:
        self._ask(model_id)
        return {"auc": 0.95}

    async def file(self, path: str, limit: int) -> str:
        self._ask(f"file {path}")
        return self.mlmodel

    async def ping(self) -> None:
        self._ask("ping")

    def taken(self) -> list[str]:
        """What was asked since this was asked last, but for polls."""
        asked, self.asked = [each for each in self.asked if each != "model"], []
        return asked


class Line:
    """In place of a line to a server."""

    server_version = "3.17.2"

    def __init__(self, server: PretendedMlflow, known: Known) -> None:
        poll = Poll(server, "3.17.2", known)  # type: ignore[arg-type]
        self.ask = poll.ask
        self.ask_gate_facts = poll.ask_gate_facts

    async def drop(self) -> None:
        """It is made anew."""


class Scene:
    """A poller, two ModelDeployments of one alias, and who was told to look again."""

    def __init__(self) -> None:
        self.server, self.enqueued = PretendedMlflow(), list[Key]()
        self.store = Store()
        for namespace, name in (KEY, OTHER):
            meta = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}
            spec = {"registry": "default", "model": {"name": "news", "alias": "production"}}
            self.store.put({"kind": "ModelDeployment", "metadata": meta, "spec": spec})
        known = Known()
        given = {"url": "http://mlflow.example:5000", "pollInterval": "15s"}
        self.poller = Poller(
            parse_registry({"metadata": {"name": "default"}, "spec": given}),
            self.store,
            PollerDependencies(
                self._nothing, self._enqueue, self._nothing, print, lambda: NOW, lambda: 0.5
            ),
            known,
        )
        self.poller._link = Line(self.server, known)  # type: ignore[assignment]

    def look(self, spec: dict[str, Any], key: Key = KEY, **seen: Any) -> GateFacts | None:
        """As a reconcile does."""
        return self.poller.gate_facts(key, asked(spec, **seen))

    def desired_image(self) -> str | None:
        """That the version's tag names, as who follows it is shown."""
        desired = self.poller.desired(WATCH, KEY)
        assert isinstance(desired, ModelVersion)
        return desired.image

    async def known(self, spec: dict[str, Any], key: Key = KEY, **seen: Any) -> GateFacts:
        """As reconciles do, until it is known."""
        self.look(spec, key, **seen)
        await asyncio.sleep(2)
        facts = self.look(spec, key, **seen)
        assert facts is not None
        return facts

    async def _nothing(self, *_: Any) -> Any:
        pass

    def _enqueue(self, keys: Iterable[Key], *, urgent: bool = False) -> None:
        self.enqueued.extend(keys)


class AtOnce(ThreadPoolExecutor):
    """Threads that take no time, as the loop's clock has it."""

    def submit(self, ask: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done = Future[Any]()
        try:
            done.set_result(ask(*args, **kwargs))
        except ValueError as error:
            done.set_exception(error)
        return done


def run(scenario: Callable[[Scene], Awaitable[None]]) -> Scene:
    async def inner() -> None:
        asyncio.get_running_loop().set_default_executor(AtOnce())
        running = asyncio.create_task(made.poller.run())
        await asyncio.sleep(0.5)
        made.server.taken()
        made.enqueued.clear()
        await scenario(made)
        running.cancel()
        await asyncio.wait([running])

    made = Scene()
    at_once(inner())
    return made


def owner(
    spec: dict[str, Any], serving: str | None = "7", gates: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    status: dict[str, Any] = {"desired": {"version": "8"}}
    status |= {"serving": {"version": serving, "revision": f"r{serving}"}} if serving else {}
    status |= {"gates": gates} if gates else {}
    return {
        "metadata": {"name": "rec", "namespace": "team", "uid": "u"},
        "spec": {"model": {"name": "news", "alias": "production"}, "gates": spec},
        "status": status,
    }


def record(version: str = "7", **changed: Any) -> Record:
    given = {"registry": "default", "model": "news", "created": 10 * int(version), **changed}
    return Record(
        revision=f"r{version}", version=version, source="", sha256=None, manifest={}, **given
    )


def asked(
    spec: dict[str, Any],
    floor: Gates = NO_GATES,
    records: Any = None,
    *,
    tag_refused: bool = False,
    **seen: Any,
) -> GateQuestion | None:
    known = {"r7": record()} if records is None else records
    return gate_question(owner(spec, **seen), EIGHT, floor, known, tag_refused=tag_refused)


def status_gates(gate: str = "tags.approved") -> list[dict[str, str]]:
    return [{"gate": "metrics.auc.min", "result": "Passed"}, {"gate": gate, "result": "Failed"}]
