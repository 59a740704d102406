"""Two operators on one API server: one writes, the other takes over (law 9)."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from audit import Audit
from mlflow_server import Mlflow
from objects import NAMESPACE, Objects
from operator_process import ENDS, Operator, operator
from partition import wire
from waiting import until

from pennant_dev.controlplane import ControlPlane

pytestmark = pytest.mark.integration

# Long enough for a busy machine, short enough for a test.
SHORT = {
    "PENNANT_LEASE_DURATION": "8",
    "PENNANT_RENEW_DEADLINE": "5",
    "PENNANT_RETRY_PERIOD": "1",
}


@pytest.fixture
def replica(plane: ControlPlane, tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """Starts operators, each under its own name, and ends them."""
    with contextlib.ExitStack() as stack:

        def start(name: str, port: int | None = None, **environ: str) -> Operator:
            config = Audit.kubeconfig(plane, name)
            if port is not None:
                through = f"https://127.0.0.1:{port}"
                config.write_text(config.read_text().replace(plane.server, through))
            return stack.enter_context(operator(config, tmp_path, HOSTNAME=name, **environ))

        yield start


@pytest.fixture
def work(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace in which somebody goes on making ModelDeployments: there is always to write."""
    objects, ended = Objects(plane), threading.Event()
    name = objects.namespace(f"team-{abs(hash(request.node.name)) % 10**8}")

    def go_on() -> None:
        for number in itertools.count():
            if ended.wait(0.2):
                return
            objects.apply(deployment(name, f"rec-{number}"))

    thread = threading.Thread(target=go_on)
    thread.start()
    yield name
    ended.set()
    thread.join()
    for each in objects.list("ModelDeployment", name):
        objects.delete("ModelDeployment", name, each["metadata"]["name"])


def deployment(namespace: str, name: str, registry: str = "nowhere") -> dict:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"registry": registry, "model": {"name": "cars", "alias": "production"}},
    }


def lease(objects: Objects) -> dict:
    return (objects.get("Lease", NAMESPACE, "pennant-operator") or {}).get("spec", {})


def holder(objects: Objects) -> str:
    """The name of who leads."""
    return lease(objects).get("holderIdentity", "").rpartition("_")[0]


def leads(replica: Operator) -> float:
    return replica.metric("pennant_leader ")


def taken_over(objects: Objects, name: str) -> float:
    """Seconds until this one has the Lease."""
    began = time.monotonic()
    until(lambda: holder(objects) == name, seen=lambda: f"{holder(objects)} leads")
    return time.monotonic() - began


def test_one_leads_and_the_other_watches_and_neither_asks_nor_writes(
    audit: Audit, objects: Objects, replica, work: str, mlflow_url: str
):
    Mlflow(mlflow_url).promote("cars", Mlflow(mlflow_url).register("cars"))
    spec = {"url": mlflow_url, "pollInterval": "1s"}
    meta = {"name": "default", "namespace": NAMESPACE}
    objects.apply(
        {"apiVersion": "pennant.dev/v1alpha1", "kind": "ModelRegistry"}
        | {"metadata": meta, "spec": spec}
    )
    first = replica("quiet-a")
    until(lambda: leads(first) == 1)
    second = replica("quiet-b")  # it is ready: a rollout of the operator goes on
    polled = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'
    began = until(lambda: first.metric(polled))
    until(lambda: first.metric(polled) > began + 3)
    assert holder(objects) == "quiet-a"
    assert (leads(second), second.metric(polled)) == (0, 0)
    assert second.metric("pennant_queue_depth") == 0
    until(lambda: audit.written("quiet-a"))
    assert audit.turns("quiet-a", "quiet-b") == ["quiet-a"]
    objects.delete("ModelRegistry", NAMESPACE, "default")


def test_a_leader_that_is_told_to_end_hands_over_long_before_its_lease_runs_out(
    audit: Audit, objects: Objects, replica, work: str
):
    first = replica("term-a")
    until(lambda: leads(first) == 1)
    second = replica("term-b")
    until(lambda: audit.written("term-a"))
    first.process.send_signal(signal.SIGTERM)
    assert taken_over(objects, "term-b") < 9  # three on a machine that has nothing else to do
    until(lambda: audit.written("term-b"))
    assert first.process.wait(timeout=ENDS) == 0
    assert leads(second) == 1
    assert audit.turns("term-a", "term-b") == ["term-a", "term-b"]


def test_a_released_lease_makes_the_next_operator_wait_for_nothing(objects: Objects, replica):
    assert replica("calm-a").stop() == 0
    second = replica("calm-b")
    until(lambda: leads(second) == 1)
    assert "standing by" not in second.log.read_text()


def test_a_killed_leaders_place_is_taken_when_its_lease_ran_out(
    audit: Audit, objects: Objects, replica, work: str
):
    first = replica("kill-a")
    until(lambda: leads(first) == 1)
    replica("kill-b")
    until(lambda: audit.written("kill-a"))
    first.kill()
    renewed = lease(objects)["renewTime"]
    assert taken_over(objects, "kill-b") < 45  # seventeen on a machine that has nothing else to do
    waited = datetime.fromisoformat(lease(objects)["acquireTime"]) - datetime.fromisoformat(renewed)
    assert waited.total_seconds() >= 15
    until(lambda: audit.written("kill-b"))
    assert audit.turns("kill-a", "kill-b") == ["kill-a", "kill-b"]


def test_a_leader_that_stood_still_writes_nothing_more_and_ends(
    audit: Audit, objects: Objects, replica, work: str
):
    first = replica("still-a", **SHORT)
    until(lambda: leads(first) == 1)
    replica("still-b", **SHORT)
    until(lambda: audit.written("still-a"))
    first.process.send_signal(signal.SIGSTOP)
    try:
        taken_over(objects, "still-b")
        until(lambda: audit.written("still-b"))
    finally:
        first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=ENDS) == 1
    assert "lost the Lease" in first.log.read_text()
    assert audit.turns("still-a", "still-b") == ["still-a", "still-b"]


def test_a_leader_that_is_cut_off_ends_before_another_begins(
    plane: ControlPlane, audit: Audit, objects: Objects, replica, work: str
):
    with wire(int(plane.server.rpartition(":")[2])) as line:
        first = replica("cut-a", line.port, **SHORT)
        until(lambda: leads(first) == 1)
        replica("cut-b", **SHORT)
        until(lambda: audit.written("cut-a"))
        line.cut()
        taken_over(objects, "cut-b")
        assert leads(first) == 0
        until(lambda: audit.written("cut-b"))
        assert first.process.wait(timeout=ENDS) == 1
    found = audit.written("cut-a", "cut-b")
    assert audit.turns("cut-a", "cut-b") == ["cut-a", "cut-b"]
    ended = max(write.ended for write in found if write.user == "cut-a")
    assert ended < min(write.began for write in found if write.user == "cut-b")
