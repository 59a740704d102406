"""Several registries under one operator: none delays another, and what each allows may change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import lying_proxy
import pytest
from lying_proxy import Proxy
from mlflow_server import Mlflow
from objects import NAMESPACE, Objects
from operator_process import Operator, operator
from operator_stage import Stage, View
from waiting import until

pytestmark = pytest.mark.integration

ASKED = "registered-models/get"


@pytest.fixture(scope="module")
def stage(objects: Objects) -> Iterator[Stage]:
    made = Stage(objects, "tenants")
    yield made
    made.clear()


@pytest.fixture(scope="module")
def running(
    stage: Stage, operator_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    with operator(operator_config, tmp_path_factory.mktemp("tenants")) as started:
        yield started


@pytest.fixture
def model(mlflow_url: str) -> str:
    """A model whose version 1 is promoted."""
    name = f"m{uuid4().hex[:8]}"
    mlflow = Mlflow(mlflow_url)
    mlflow.promote(name, mlflow.register(name))
    return name


def polls(proxy: Proxy, model: str) -> int:
    """How often it was asked about a model: one watched model is one such request a poll."""
    return sum(ASKED in path and path.endswith(model) for path in proxy.asked)


def polled(proxy: Proxy) -> None:
    """Wait until it was asked twice more."""
    at = len(proxy.asked)
    until(lambda: len(proxy.asked) > at + 1)


def told(stage: Stage, name: str) -> dict[str, str]:
    return View(stage.objects.get("ModelRegistry", NAMESPACE, name) or {}).condition("Ready")


def test_a_registry_that_hangs_delays_no_other(
    stage: Stage, running: Operator, mlflow_url: str, model: str
):
    """Of the one that answers, a move is seen by its next poll, however long the other takes."""
    with (
        lying_proxy.lying_proxy(mlflow_url) as hangs,
        lying_proxy.lying_proxy(mlflow_url) as answers,
    ):
        for name, proxy in (("hangs", hangs), ("answers", answers)):
            stage.registry(name, proxy.url)
            stage.apply(name, model, registry=name)
        until(lambda: stage.all_serve("1", ["hangs", "answers"]))
        hangs.fail(lying_proxy.slow)
        until(lambda: told(stage, "hangs").get("reason") == "NotAnswering")
        waiting = len(hangs.asked)
        until(lambda: len(hangs.asked) > waiting)  # from now on it is waited for
        mlflow = Mlflow(mlflow_url)
        version = mlflow.register(model)
        mlflow.promote(model, version)
        before = polls(answers, model)

        def seen() -> int:
            """How many polls there were before we looked, once the move is known."""
            asked = polls(answers, model)
            desired = stage.views()["answers"].status["desired"]["version"]
            return asked if desired == version else 0

        # One may have been under way at the move, and one came before the status was written.
        assert until(seen) - before <= 3
        assert told(stage, "hangs")["reason"] == "NotAnswering"
        assert told(stage, "answers")["reason"] == "Answering"
        assert stage.views()["hangs"].status["desired"]["version"] == "1"
        unanswered = 'pennant_registry_requests_total{code="0",registry="%s"}'
        assert running.metric(unanswered % "hangs") > 0
        assert running.metric(unanswered % "answers") == 0


def test_who_is_not_allowed_any_more_is_told_and_keeps_what_serves(
    stage: Stage, running: Operator, mlflow_url: str, model: str
):
    with lying_proxy.lying_proxy(mlflow_url) as proxy:
        stage.registry("allows", proxy.url)
        stage.apply("allowed", model, registry="allows")
        stage.serves("allowed", "1")
        mlflow = Mlflow(mlflow_url)
        mlflow.promote(model, mlflow.register(model))
        stage.serves("allowed", "2")
        for shut in ({"allowedModels": ["other-*"]}, {"allowedNamespaces": ["other"]}):
            stage.registry("allows", proxy.url, **shut)
            until(lambda: stage.view("allowed").reason("Stalled") == "NotAllowed")
            seen = stage.view("allowed")
            assert (seen.serving, seen.condition("Ready")["status"]) == ("2", "True")
            polled(proxy)  # one may have been under way
            asked = polls(proxy, model)
            polled(proxy)  # about nothing
            assert polls(proxy, model) == asked
            stage.registry("allows", proxy.url)
            until(lambda: stage.view("allowed").reason("AliasInSync") == "InSync")


def test_a_changed_secret_is_used_without_a_restart_or_a_write(
    stage: Stage, running: Operator, mlflow_url: str, model: str
):
    """The ModelRegistry is not touched, and was never in trouble."""

    def secret(token: str) -> None:
        stage.objects.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "rotated", "namespace": NAMESPACE},
                "stringData": {"MLFLOW_TRACKING_TOKEN": token},
            }
        )

    given: list[str | None] = []

    def noting(request: lying_proxy.Request) -> lying_proxy.Answer:
        given.append(request.header("Authorization"))
        return request.forward()

    with lying_proxy.lying_proxy(mlflow_url) as proxy:
        proxy.fail(noting)
        secret("first")
        stage.registry("rotates", proxy.url, credentialsSecret="rotated")
        stage.apply("rotates", model, registry="rotates")
        stage.serves("rotates", "1")
        running.rests()
        written = stage.objects.get("ModelRegistry", NAMESPACE, "rotates")["metadata"]
        secret("second")
        until(lambda: given[-1] == "Bearer second")
        assert set(given) == {"Bearer first", "Bearer second"}
        after = stage.objects.get("ModelRegistry", NAMESPACE, "rotates")["metadata"]
        assert after["resourceVersion"] == written["resourceVersion"]
