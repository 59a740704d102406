"""Two operators on one API server: one writes, the other takes over (law 9).

Each test has a Lease of its own, in an operator's namespace of its own, and they wait together.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from pennant_dev.controlplane import ControlPlane
from pennant_testing.control_plane.applied_objects import model_registry
from pennant_testing.control_plane.audit_log import GROUP, Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import END_SECONDS, Operator, operator
from pennant_testing.control_plane.operator_rights import granted
from pennant_testing.control_plane.silent_wire import wire
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.running.side_by_side import Begun, begin, beside
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

# Long enough for a machine that has ten other things to do, short enough for tests that wait
# beside others.
SHORT = {
    "PENNANT_LEASE_DURATION": "24",
    "PENNANT_RENEW_DEADLINE": "18",
    "PENNANT_RETRY_PERIOD": "1",
}
# Longer than anybody waits here: who has it before it ran out was given it.
LONG = {"PENNANT_LEASE_DURATION": "900", "PENNANT_RENEW_DEADLINE": "600"}


@dataclass
class Stand:
    """A Lease, a namespace in which there is always something to write, and replicas."""

    plane: ControlPlane
    objects: Objects
    audit: Audit
    mlflow_url: str
    folder: Path
    name: str
    since: int = field(init=False)
    """What the audit log holds before it is another test's."""
    stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self.since = self.audit.mark()
        self.home = self.objects.namespace(f"home-{self.name}")
        self.work = self.objects.namespace(f"work-{self.name}")
        for obj in granted(GROUP, self.home):
            self.objects.apply(obj)

    def start(self, name: str, port: int | None = None, **environ: str) -> Operator:
        """An operator under its own name, by way of a port if one is given."""
        config = Audit.kubeconfig(self.plane, name)
        if port is not None:
            through = f"https://127.0.0.1:{port}"
            config.write_text(config.read_text().replace(self.plane.server, through))
        names = {"PENNANT_NAMESPACE": self.home, "PENNANT_WATCH_NAMESPACES": self.work}
        made = operator(config, self.folder, HOSTNAME=name, **names, **environ)
        return self.stack.enter_context(made)

    def __enter__(self) -> Stand:
        """Somebody goes on making ModelDeployments until the test is over."""
        ended = threading.Event()

        def go_on() -> None:
            for number in itertools.count():
                if ended.wait(0.3):
                    return
                self.objects.apply(deployment(self.work, f"rec-{number}"))

        thread = threading.Thread(target=go_on)
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(ended.set)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def lease(self) -> dict:
        return (self.objects.get("Lease", self.home, "pennant-operator") or {}).get("spec", {})

    def holder(self) -> str:
        """The name of who leads."""
        return self.lease().get("holderIdentity", "").rpartition("_")[0]

    def taken_over(self, name: str) -> None:
        """Wait until this one has the Lease."""
        until(lambda: self.holder() == name, seen=lambda: f"{self.holder()} leads")

    def has_written(self, name: str) -> None:
        until(lambda: self.audit.written(name, since=self.since))

    def turns(self, *names: str) -> list[str]:
        """These in the order in which they took turns at writing."""
        return self.audit.turns(*names, since=self.since)


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest,
    plane: ControlPlane,
    objects: Objects,
    audit: Audit,
    mlflow_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Begun]:
    names, folder = itertools.count(), tmp_path_factory.mktemp("lease")

    def stand() -> Stand:
        return Stand(plane, objects, audit, mlflow_url, folder, str(next(names)))

    with begin(request, stand) as tests:
        yield tests


def deployment(namespace: str, name: str) -> dict:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"registry": "nowhere", "model": {"name": "cars", "alias": "production"}},
    }


def leads(replica: Operator) -> float:
    return replica.metric("pennant_leader ")


def seconds(since: str, until_: str) -> float:
    """Between two times as a Lease has them."""
    return (datetime.fromisoformat(until_) - datetime.fromisoformat(since)).total_seconds()


@beside
def test_one_leads_and_the_other_watches_and_neither_asks_nor_writes(stand: Stand):
    mlflow = Mlflow(stand.mlflow_url)
    mlflow.promote("cars", mlflow.register("cars"))
    stand.objects.apply(model_registry(stand.home, stand.mlflow_url))
    first = stand.start("quiet-a")
    until(lambda: leads(first) == 1)
    second = stand.start("quiet-b")  # it is ready: a rollout of the operator goes on
    polled = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'
    began = until(lambda: first.metric(polled))
    until(lambda: first.metric(polled) > began + 3)
    assert stand.holder() == "quiet-a"
    assert (leads(second), second.metric(polled)) == (0, 0)
    assert second.metric("pennant_queue_depth") == 0
    stand.has_written("quiet-a")
    assert stand.turns("quiet-a", "quiet-b") == ["quiet-a"]


@beside
def test_a_leader_that_is_told_to_end_hands_over_long_before_its_lease_runs_out(stand: Stand):
    first = stand.start("term-a", **LONG)
    until(lambda: leads(first) == 1)
    second = stand.start("term-b", **LONG)
    stand.has_written("term-a")
    first.process.send_signal(signal.SIGTERM)
    stand.taken_over("term-b")
    stand.has_written("term-b")
    assert first.process.wait(timeout=END_SECONDS) == 0
    assert leads(second) == 1
    assert stand.turns("term-a", "term-b") == ["term-a", "term-b"]


@beside
def test_a_released_lease_makes_the_next_operator_wait_for_nothing(stand: Stand):
    first = stand.start("calm-a")
    assert first.stop() == 0
    assert "released the Lease" in first.log.read_text(), first.log.read_text()
    second = stand.start("calm-b")
    until(lambda: leads(second) == 1)
    assert "standing by" not in second.log.read_text()


@beside
def test_a_killed_leaders_place_is_taken_when_its_lease_ran_out(stand: Stand):
    first = stand.start("kill-a", **SHORT)
    until(lambda: leads(first) == 1)
    stand.start("kill-b", **SHORT)
    stand.has_written("kill-a")
    first.kill()
    renewed = stand.lease()["renewTime"]
    stand.taken_over("kill-b")
    assert seconds(renewed, stand.lease()["acquireTime"]) >= int(SHORT["PENNANT_LEASE_DURATION"])
    stand.has_written("kill-b")
    assert stand.turns("kill-a", "kill-b") == ["kill-a", "kill-b"]


@beside
def test_a_leader_that_stood_still_writes_nothing_more_and_ends(stand: Stand):
    first = stand.start("still-a", **SHORT)
    until(lambda: leads(first) == 1)
    stand.start("still-b", **SHORT)
    stand.has_written("still-a")
    first.process.send_signal(signal.SIGSTOP)
    try:
        stand.taken_over("still-b")
        stand.has_written("still-b")
    finally:
        first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=END_SECONDS) == 1
    assert "lost the Lease" in first.log.read_text()
    assert stand.turns("still-a", "still-b") == ["still-a", "still-b"]


@beside
def test_a_leader_that_is_cut_off_ends_before_another_begins(stand: Stand):
    with wire(int(stand.plane.server.rpartition(":")[2])) as line:
        first = stand.start("cut-a", line.port, **SHORT)
        until(lambda: leads(first) == 1)
        stand.start("cut-b", **SHORT)
        stand.has_written("cut-a")
        line.cut()
        stand.taken_over("cut-b")
        assert leads(first) == 0
        stand.has_written("cut-b")
        assert first.process.wait(timeout=END_SECONDS) == 1
    found = stand.audit.written("cut-a", "cut-b", since=stand.since)
    assert stand.turns("cut-a", "cut-b") == ["cut-a", "cut-b"]
    ended = max(write.ended for write in found if write.user == "cut-a")
    assert ended < min(write.began for write in found if write.user == "cut-b")
