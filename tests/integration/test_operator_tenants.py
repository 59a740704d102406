"""Several registries under one operator: none delays another, and what each allows may change.

Each test has registries of its own, and they wait for the operator together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.tenants import Tenant, registry_ready, tenants, wait_for_polls
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.lying_proxy import Proxy
from pennant_testing.running.side_by_side import Begun, beside
from pennant_testing.waiting import still, until

pytestmark = pytest.mark.integration

ASKED = "registered-models/get"


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest, running: Operator, objects: Objects, mlflow_url: str
) -> Iterator[Begun]:
    with tenants(request, running, objects, mlflow_url) as tests:
        yield tests


def polls(proxy: Proxy, model: str) -> int:
    """How often it was asked about a model: one watched model is one such request a poll."""
    return sum(ASKED in path and path.endswith(model) for path in proxy.asked)


@beside
def test_a_registry_that_hangs_delays_no_other(of: Tenant):
    """Of the one that answers, a move is seen by its next poll, however long the other takes."""
    stage, model, running = of.stage, of.model, of.running
    with (
        lying_proxy.lying_proxy(of.url) as hangs,
        lying_proxy.lying_proxy(of.url) as answers,
    ):
        for name, proxy in (("hangs", hangs), ("answers", answers)):
            stage.registry(name, proxy.url)
            stage.apply(name, model, registry=name)
        until(lambda: stage.all_serve("1", ["hangs", "answers"]))
        hangs.fail(lying_proxy.slow)
        until(lambda: registry_ready(stage.objects, "hangs").get("reason") == "NotAnswering")
        waiting = len(hangs.asked)
        until(lambda: len(hangs.asked) > waiting)  # from now on it is waited for
        version = of.promote_another()
        before = polls(answers, model)

        def seen() -> int:
            """How many polls there were before we looked, once the move is known."""
            asked = polls(answers, model)
            desired = stage.views()["answers"].status["desired"]["version"]
            return asked if desired == version else 0

        # One may have been under way at the move, and one came before the status was written.
        assert until(seen) - before <= 3
        assert registry_ready(stage.objects, "hangs")["reason"] == "NotAnswering"
        assert registry_ready(stage.objects, "answers")["reason"] == "Answering"
        assert stage.views()["hangs"].status["desired"]["version"] == "1"
        unanswered = 'pennant_registry_requests_total{code="0",registry="%s"}'
        assert running.metric(unanswered % "hangs") > 0
        assert running.metric(unanswered % "answers") == 0


@beside
@pytest.mark.parametrize(
    "shut",
    [{"allowedModels": ["other-*"]}, {"allowedNamespaces": ["other"]}],
    ids=["models", "namespaces"],
)
def test_who_is_not_allowed_any_more_is_told_and_keeps_what_serves(of: Tenant, shut: dict):
    stage, model, name = of.stage, of.model, f"shuts-{of.model}"
    with lying_proxy.lying_proxy(of.url) as proxy:
        stage.registry(name, proxy.url)
        stage.apply("allowed", model, registry=name)
        stage.serves("allowed", "1")
        of.promote_another()
        stage.serves("allowed", "2")
        stage.registry(name, proxy.url, **shut)
        stage.sees("allowed", lambda seen: seen.reason("Stalled") == "NotAllowed")
        seen = stage.view("allowed")
        assert (seen.serving, seen.condition("Ready")["status"]) == ("2", "True")
        wait_for_polls(proxy)  # one may have been under way
        asked = polls(proxy, model)
        wait_for_polls(proxy)  # about nothing
        assert polls(proxy, model) == asked
        stage.registry(name, proxy.url)
        stage.sees("allowed", lambda seen: seen.reason("AliasInSync") == "InSync")


@beside
def test_a_changed_secret_is_used_without_a_restart_or_a_write(of: Tenant):
    """The ModelRegistry is not touched, and was never in trouble."""
    stage, model = of.stage, of.model

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

    def noting(request: lying_proxy.ProxiedRequest) -> lying_proxy.ProxiedAnswer:
        given.append(request.header("Authorization"))
        return request.forward()

    with lying_proxy.lying_proxy(of.url) as proxy:
        proxy.fail(noting)
        secret("first")
        stage.registry("rotates", proxy.url, credentialsSecret="rotated")
        stage.apply("rotates", model, registry="rotates")
        stage.serves("rotates", "1")
        registry = partial(stage.objects.get, "ModelRegistry", NAMESPACE, "rotates")
        written = still(registry)["metadata"]
        secret("second")
        until(lambda: given[-1] == "Bearer second")
        assert set(given) == {"Bearer first", "Bearer second"}
        assert registry()["metadata"]["resourceVersion"] == written["resourceVersion"]
