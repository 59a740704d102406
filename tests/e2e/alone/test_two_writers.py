"""The operator's two pods while an alias moves back and forth under traffic: the one that leads is
killed, told to end, or stands still for longer than its Lease. Never do both write.

Proved from the API server's audit log, which the provider `local` keeps.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path

import pytest

from newsreco.loadgen_report import failures
from pennant_dev import auditlog
from pennant_dev.cluster import choose
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.local import Local
from pennant_dev.settings import Settings
from pennant_testing.cluster.deployed import Deployed, serving, traffic
from pennant_testing.cluster.operator_pods import NAME, NAMESPACE, leader, pod_of
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.control_plane.lease_history import (
    NOBODY,
    AuditedRequest,
    requests,
    strays,
    tenures,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not isinstance(choose(Settings.from_env()), Local) or os.geteuid() != 0,
        reason="the provider here keeps no audit log, or this is not root",
    ),
]

LEASE, RETRY = 15.0, 2.0  # seconds, as installed
HAND_OVER = 3.0  # seconds, as docs/availability.md has it
BUSY = 5.0  # seconds that a busy machine may add
EVERY = 4.0  # seconds: a rollout takes longer, going back within the bake does not
SERVING = {"image": IMAGE, "adapter": "newsreco.serving:NewsrecoAdapter"}
# Other processes of the machine may not starve it: who gets no processor answers nobody.
RESOURCES = {"requests": {"cpu": "300m", "memory": "128Mi"}}
LOG = auditlog.path(Settings.from_env().state)


@pytest.fixture(scope="module")
def moved(kube: Kube, markers: dict[str, str], room: str, sampler: Sampler) -> Iterator[Deployed]:
    """Its alias points at version 2 and 1 in turn for as long as the tests go on, at 2 then."""
    over = threading.Event()
    spec = {"replicas": 2, "serving": {**SERVING, "resources": RESOURCES}}
    with serving(kube, "led-in-turn", room, **spec) as deployed, traffic(deployed) as flow:
        sampler.bear(deployed.namespace, deployed.name, LEASE + RETRY + BUSY)

        def move() -> None:
            for version in cycle(("2", "1")):
                deployed.point_alias_at(version)
                if over.wait(EVERY):
                    break
            deployed.point_alias_at("2")

        mover = threading.Thread(target=move)
        mover.start()
        try:
            yield deployed
        finally:
            over.set()
            mover.join()
        deployed.until(serving="2", summary="Serving")
        flow.flows_until(time.time() + 1)
    assert failures(flow.rows) == []


@dataclass(frozen=True)
class Led:
    """Who leads as a test begins, and where the log was then."""

    identity: str
    since: int

    def wrote(self) -> bool:
        """It has renewed its Lease and written something else since."""
        asked = [each for each in requests(LOG, self.since) if each.pod == pod_of(self.identity)]
        return {None, self.identity} <= {each.holder for each in asked}

    def succession(self) -> tuple[AuditedRequest, AuditedRequest] | None:
        """The last request of its for the Lease, and the one by which another took it."""
        asked = [each for each in requests(LOG, self.since) if each.holder is not None]
        pairs = pairwise(each for each in asked if each.code < 300)
        return next((pair for pair in pairs if pair[1].holder not in {self.identity, NOBODY}), None)


@pytest.fixture
def led(kube: Kube, moved: Deployed) -> Iterator[Led]:
    """The identity that leads as the test begins, with another pod ready; then it is judged."""
    kube.rolled_out(NAME, NAMESPACE, seconds=120)
    first = Led(poll(lambda: leader(kube), "nobody leads", 30), LOG.stat().st_size)
    poll(first.wrote, "the leader writes nothing", 30)
    yield first
    second = Led(leader(kube), first.since)
    assert second.identity not in {first.identity, NOBODY}
    poll(second.wrote, "the new leader writes nothing", 30)
    moved.until(desired="2", seconds=60)
    kube.rolled_out(NAME, NAMESPACE, seconds=120)
    found = requests(LOG)
    assert "\n".join(map(str, strays(found))) == ""
    turns = [each.identity for each in tenures(found) if each.identity]
    assert turns[-2:] == [first.identity, second.identity]


def process_of(identity: str) -> int:
    """The operator's process as this machine sees it."""
    mark = f"HOSTNAME={pod_of(identity)}".encode()
    for each in Path("/proc").glob("[0-9]*"):
        try:
            variables = (each / "environ").read_bytes().split(b"\0")
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in variables and b"pennant_operator" in command:
            return int(each.name)
    raise AssertionError(f"no process of {identity}")


def taken_over(first: Led) -> tuple[AuditedRequest, AuditedRequest]:
    """Once that is so: the last word of one tenure, and the first of another's."""
    return poll(first.succession, "nobody takes over", 60, interval=0.1)


def test_a_killed_leaders_place_is_taken_when_its_lease_ran_out(led: Led):
    os.kill(process_of(led.identity), signal.SIGKILL)
    renewed, taken = taken_over(led)
    assert renewed.holder == led.identity
    assert LEASE <= (taken.began - renewed.began).total_seconds() < LEASE + RETRY + BUSY


def test_a_leader_whose_pod_is_deleted_gives_its_lease_back_and_another_takes_it_in_seconds(
    kube: Kube, led: Led
):
    asked = time.time()
    kube("delete", "pod", pod_of(led.identity), f"-n={NAMESPACE}", "--wait=false")
    released, taken = taken_over(led)
    assert released.holder == NOBODY
    assert taken.began.timestamp() - asked < HAND_OVER + BUSY


def test_a_leader_that_stood_still_past_its_lease_writes_nothing_more_and_ends(
    kube: Kube, led: Led
):
    process = process_of(led.identity)
    container = container_of(kube, led.identity)["containerID"]
    os.kill(process, signal.SIGSTOP)
    try:
        taken_over(led)
    finally:
        os.kill(process, signal.SIGCONT)
    # A process that the kubelet's probe ended would leave 137 or 143.
    poll(lambda: exit_code(kube, led.identity, container) is not None, "it does not end", 30)
    assert exit_code(kube, led.identity, container) == 1


def container_of(kube: Kube, identity: str) -> Object:
    (status,) = (kube.get("pod", pod_of(identity), NAMESPACE) or {})["status"]["containerStatuses"]
    return dict(status)


def exit_code(kube: Kube, identity: str, container: str) -> int | None:
    """With what this container ended; None while it runs."""
    now = container_of(kube, identity)
    for state in (now["state"], now["lastState"]):
        ended = state.get("terminated") or {}
        if ended.get("containerID") == container:
            return int(ended["exitCode"])
    return None
