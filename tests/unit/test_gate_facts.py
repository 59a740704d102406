"""What gates ask of a registry, how often, and who is told: nothing of anybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import GateFacts, ModelVersion
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion
from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NoFileError,
    NotAllowedError,
    RegistryTroubleError,
)
from pennant_operator.observe.poll.gate_facts import FIRST_REREAD_SECONDS, REREAD_CAP_SECONDS
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.poller import Poller, PollerDependencies
from pennant_operator.observe.poll.version_facts import Identity
from pennant_operator.observe.poll.wanted import Wanted, wanted
from pennant_registry.gates import NO_GATES, BundleFacts, Gates, VersionFacts, parse
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

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


class Server:
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
            tags=self.tags.get(number, {}),
            run_id=f"run-{number}",
            model_id=self.model_id,
        )

    async def resolve(self, entry: RegisteredVersion) -> ModelVersion:
        self._ask(f"source {entry.version}")
        return ModelVersion(entry.name, entry.version, entry.created, "mlflow-artifacts:/1/r/m")

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

    def __init__(self, server: Server, known: Known) -> None:
        poll = Poll(server, "3.17.2", known)  # type: ignore[arg-type]
        self.ask = poll.ask
        self.ask_gate_facts = poll.ask_gate_facts

    async def drop(self) -> None:
        """It is made anew."""


class Scene:
    """A poller, two ModelDeployments of one alias, and who was told to look again."""

    def __init__(self) -> None:
        self.server, self.told = Server(), list[Key]()
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

    async def known(self, spec: dict[str, Any], key: Key = KEY, **seen: Any) -> GateFacts:
        """As reconciles do, until it is known."""
        self.look(spec, key, **seen)
        await asyncio.sleep(2)
        found = self.look(spec, key, **seen)
        assert found is not None
        return found

    async def _nothing(self, *_: Any) -> Any:
        pass

    def _enqueue(self, keys: Iterable[Key], *, urgent: bool = False) -> None:
        self.told.extend(keys)


class AtOnce(ThreadPoolExecutor):
    """Threads that take no time, as the loop's clock has it."""

    def submit(self, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
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
        made.told.clear()
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
    spec: dict[str, Any], floor: Gates = NO_GATES, records: Any = None, **seen: Any
) -> Wanted | None:
    known = {"r7": record()} if records is None else records
    return wanted(owner(spec, **seen), EIGHT, floor, known)


def held(gate: str = "tags.approved") -> list[dict[str, str]]:
    return [{"gate": "metrics.auc.min", "result": "Passed"}, {"gate": gate, "result": "Failed"}]


@pytest.mark.parametrize(
    ("spec", "questions"),
    [
        (TAGS, ["version 8"]),
        (METRICS, ["version 8", "run-8"]),
        (DROP, ["version 8", "run-8", "version 7", "run-7"]),
        (FLAVORS, ["version 8", "file 1/r/m/MLmodel"]),
        (SIGNATURE, ["version 8", "version 7", "source 7", *["file 1/r/m/MLmodel"] * 2]),
        (CLOSED, []),
    ],
    ids=lambda value: next(iter(value), ""),
)
def test_a_version_is_asked_what_the_gates_ask_and_once(spec: Any, questions: list[str]):
    async def scenario(made: Scene) -> None:
        await made.known(spec)
        assert sorted(made.server.taken()) == sorted(questions)
        await asyncio.sleep(3600)
        assert made.look(spec) is not None
        assert made.server.taken() == []

    run(scenario)


def test_what_one_asked_another_is_told_and_what_both_ask_is_asked_once():
    async def scenario(made: Scene) -> None:
        first = await made.known(TAGS)
        assert made.look(TAGS, OTHER) == first
        assert made.look(METRICS, OTHER) is None
        await asyncio.sleep(2)
        assert made.server.taken() == ["version 8", "version 8", "run-8"]
        assert set(made.told) == {KEY, OTHER}
        both = made.look(METRICS, OTHER)
        assert both == GateFacts(VersionFacts("8", {"auc": 0.9}, {"note": "x"}))
        assert made.look(TAGS) == both

    run(scenario)


def test_the_logged_models_metrics_win():
    async def scenario(made: Scene) -> None:
        made.server.model_id = "m-1"
        facts = await made.known(METRICS)
        assert facts.version.metrics == {"auc": 0.95}
        assert made.server.taken() == ["version 8", "run-8", "m-1"]

    run(scenario)


def test_the_serving_version_is_asked_what_is_compared_only():
    async def scenario(made: Scene) -> None:
        facts = await made.known({**DROP, **FLAVORS, **TAGS})
        assert facts.serving is not None
        assert (facts.serving.metrics, facts.serving.bundle) == ({"auc": 0.91}, "nobody asked")
        assert facts.version.bundle == BundleFacts(("sklearn",))

    run(scenario)


def test_with_nothing_that_serves_there_is_nothing_to_compare():
    async def scenario(made: Scene) -> None:
        assert (await made.known(DROP, serving=None)).serving is None

    run(scenario)


def test_nothing_is_wanted_by_who_has_no_gates_or_runs_the_version():
    assert asked({}) is None
    assert asked(TAGS, serving="8", records={"r8": record("8")}) is None
    assert asked({"metrics": [{}]}) is None  # the spec is invalid
    assert asked({}, floor=parse(TAGS)) is not None


def test_the_same_number_of_another_model_is_another_version():
    other = {"r8": record("8", model="cars")}
    found = asked(DROP, serving="8", records=other)
    assert found is not None
    assert found.serving == Identity("cars", "8", 80)
    assert asked(DROP, serving="8", records={"r8": record("8", created=70)}) is not None


def test_what_came_from_another_registry_is_not_asked_and_said_so():
    found = asked(DROP, records={"r7": record(registry="old")})
    assert found is not None
    assert isinstance(found.serving, VersionFacts)
    assert found.serving.metrics == "it came from ModelRegistry old"
    assert list(found.of()) == [Identity("news", "8", 80)]


@pytest.mark.parametrize(
    ("gates", "is_held"),
    [(None, False), (held(), True), (held("closed"), False), (held("signature"), True)],
    ids=str,
)
def test_held_is_who_has_a_gate_in_its_status_that_may_change(gates: Any, is_held: bool):
    found = asked(TAGS, gates=gates)
    assert found is not None
    assert found.held == is_held


def test_a_held_version_is_asked_again_ever_less_often():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS, gates=held())
        loop, times = asyncio.get_running_loop(), list[float]()
        made.server.taken()
        until = loop.time() + 3600
        while loop.time() < until:
            await asyncio.sleep(1)
            times += [loop.time()] * len(made.server.taken())
        gaps = [after - before for before, after in pairwise(times)]
        assert gaps[0] == pytest.approx(2 * FIRST_REREAD_SECONDS, abs=3)
        assert gaps[-1] == pytest.approx(REREAD_CAP_SECONDS, abs=3)
        assert len(times) < 12

    run(scenario)


def test_an_approval_is_told_to_those_who_wait_for_it_and_the_serving_version_is_asked_too():
    async def scenario(made: Scene) -> None:
        await made.known(DROP, gates=held())
        made.server.taken(), made.told.clear()
        made.server.metrics["run-7"] = {"auc": 0.5}
        await asyncio.sleep(FIRST_REREAD_SECONDS + 2)
        assert made.told == [KEY]
        facts = made.look(DROP, gates=held())
        assert facts is not None
        assert facts.serving is not None
        assert facts.serving.metrics == {"auc": 0.5}

    run(scenario)


def test_what_is_no_number_is_no_news_each_time():
    async def scenario(made: Scene) -> None:
        made.server.metrics["run-8"] = {"auc": float("nan")}
        await made.known(METRICS, gates=held("metrics.auc.min"))
        made.told.clear()
        for _ in range(10):
            made.server.metrics["run-8"] = {"auc": float("nan")}
            await asyncio.sleep(60)
        assert made.told == []

    run(scenario)


def test_a_tag_hook_is_followed_where_somebody_is_held_and_costs_nothing_elsewhere():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS)
        made.server.taken(), made.told.clear()
        assert not made.poller.tags_changed("news", "8")
        assert not made.poller.tags_changed("news", "9")
        await asyncio.sleep(2)
        assert made.server.taken() == []
        made.look(TAGS, gates=held())  # a hook came before its status said so
        await asyncio.sleep(2)
        assert made.server.taken() == ["version 8"]
        made.server.tags["8"] = {"approved": "true"}
        assert made.poller.tags_changed("news", "8")
        await asyncio.sleep(2)
        assert (made.server.taken(), made.told) == (["version 8"], [KEY])

    run(scenario)


def test_a_thousand_tag_hooks_cost_a_question_a_moment():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS, gates=held())
        made.server.taken()
        for _ in range(1000):
            made.poller.tags_changed("news", "8")
            await asyncio.sleep(0.004)
        assert 1 <= len(made.server.taken()) <= 90

    run(scenario)


@pytest.mark.parametrize("deleted", [False, True])
def test_what_nobody_asks_any_more_is_forgotten(*, deleted: bool):
    async def scenario(made: Scene) -> None:
        kept = made.poller.known.gate_facts
        await made.known(TAGS, gates=held())
        await made.known(TAGS, OTHER)
        for key in (KEY, OTHER):
            if deleted:
                made.store.drop("ModelDeployment", *key, key[1], 5)
            else:
                made.poller.gate_facts(key, None)
        await asyncio.sleep(40)
        assert (kept._kept, kept._wanted, kept._backoff._failures) == ({}, {}, {})

    run(scenario)


@pytest.mark.parametrize(
    ("part", "error", "said"),
    [
        ("run-8", MlflowRefusedError("404 RESOURCE_DOES_NOT_EXIST: no run"), "no run"),
        ("run-8", NotAllowedError("no"), "403"),
        ("run-8", RegistryTroubleError("answers 502"), "answers 502"),
        ("run-8", KeyError("odd"), "the operator fails"),
        ("version 8", NotAllowedError("no"), "403"),
    ],
    ids=str,
)
def test_what_mlflow_answers_of_a_version_is_that_versions(part: str, error: Exception, said: str):
    async def scenario(made: Scene) -> None:
        made.server.fails[part] = error
        facts = await made.known(METRICS)
        assert said in str(facts.version.metrics)
        assert made.poller._trouble is None

    run(scenario)


def test_a_registry_that_does_not_answer_changes_nothing_and_is_asked_at_the_next_poll():
    async def scenario(made: Scene) -> None:
        made.server.fails = {"": RegistryTroubleError("no answer")}
        assert made.look(METRICS) is None
        await asyncio.sleep(2)
        assert made.look(METRICS) is None
        assert made.poller._trouble == "no answer"
        assert len(made.server.taken()) <= 2
        made.server.fails.clear()
        await asyncio.sleep(60)
        assert made.look(METRICS) is not None

    run(scenario)


@pytest.mark.parametrize(
    ("mlmodel", "said"),
    [
        (MLMODEL, BundleFacts(("sklearn",))),
        ("[" * 100_000, "nested deeper than 64 levels"),
        (NoFileError("MLflow answers 404"), "could not be read: MLflow answers 404"),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("tagged", [False, True])
def test_without_its_mlmodel_file_a_version_is_what_its_tags_say(
    mlmodel: Any, said: Any, tagged: bool
):
    async def scenario(made: Scene) -> None:
        if isinstance(mlmodel, Exception):
            made.server.fails["file"] = mlmodel
        else:
            made.server.mlmodel = mlmodel
        if tagged:
            made.server.tags["8"] = {"pennant.flavors": "onnx", "pennant.signature": "none"}
        bundle = (await made.known(FLAVORS)).version.bundle
        if isinstance(said, BundleFacts):
            assert bundle == said
        elif tagged:
            assert bundle == BundleFacts(("onnx",))
        else:
            assert said in str(bundle)

    run(scenario)


def test_a_version_that_was_made_again_under_its_number_is_not_taken_for_the_first():
    async def scenario(made: Scene) -> None:
        records = {"r7": record(created=5)}
        facts = await made.known(DROP, records=records)
        assert facts.serving is not None
        assert facts.serving.metrics == "the registry does not have it any more"

    run(scenario)
