"""The operator's two pods while an alias moves back and forth under traffic: the one that leads is
killed, told to end, or stands still for longer than its Lease. Never do both write.

Proved from the API server's audit log, which the provider `local` keeps.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from deployed import MODEL, Deployed, name_after, serving, traffic
from tenures import requests, strays, tenures
from trials import POINT

from newsreco.loadgen_report import failures
from pennant_dev import auditlog
from pennant_dev.cluster import choose
from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.demo.story import Story
from pennant_dev.local import Local
from pennant_dev.settings import Settings

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not isinstance(choose(Settings.from_env()), Local) or os.geteuid() != 0,
        reason="the provider here keeps no audit log, or this is not root",
    ),
]

NAME, NAMESPACE = "pennant-operator", setup.OPERATOR_NAMESPACE
LEASE = 15.0  # seconds, as installed
EVERY = 4.0  # seconds: a rollout takes longer, going back within the bake does not
SERVING = {"image": IMAGE, "adapter": "newsreco.serving:NewsrecoAdapter"}
# Other processes of the machine may not starve it: who gets no processor answers nobody.
BUSY = {"requests": {"cpu": "300m", "memory": "128Mi"}}
LOG = auditlog.path(Settings.from_env().state)


@pytest.fixture
def moved(kube: Kube, story: Story, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Its alias points at version 2 and 1 in turn for as long as the test goes on, at 2 then."""
    over = threading.Event()
    spec = {"replicas": 2, "serving": {**SERVING, "resources": BUSY}}
    with serving(kube, name_after(request), **spec) as found, traffic(found) as flow:

        def move() -> None:
            for version in cycle(("2", "1")):
                alias_is(version)
                if over.wait(EVERY):
                    break
            alias_is("2")

        def alias_is(version: str) -> None:
            words = ("python", "-c", POINT, MODEL, "0", f"{found.name}={version}")
            kube.execute(found.namespace, setup.TOOLBOX, *words)

        mover = threading.Thread(target=move)
        mover.start()
        try:
            yield found
        finally:
            over.set()
            mover.join()
        found.until(serving="2", summary="Serving")
        flow.flows_until(time.time() + 1)
    assert failures(flow.rows) == []


@pytest.fixture
def led(kube: Kube, moved: Deployed) -> Iterator[str]:
    """The identity that leads as the test begins, with another pod ready; then it is judged."""
    kube.rolled_out(NAME, NAMESPACE, seconds=60)
    begun = LOG.stat().st_size
    first = leader(kube)
    poll(lambda: wrote(begun, first), "the leader writes nothing", 30)
    yield first
    second = leader(kube)
    assert second != first
    poll(lambda: wrote(begun, second), "the new leader writes nothing", 30)
    moved.until(desired="2", seconds=60)
    kube.rolled_out(NAME, NAMESPACE, seconds=60)
    found = requests(LOG)
    assert "\n".join(map(str, strays(found))) == ""
    turns = [each.identity for each in tenures(found) if each.identity]
    assert turns[-2:] == [first, second]


def leader(kube: Kube) -> str:
    lease = kube.get("lease", NAME, NAMESPACE) or {}
    return str(lease.get("spec", {}).get("holderIdentity") or "")


def pod_of(identity: str) -> str:
    return identity.rpartition("_")[0]


def wrote(since: int, identity: str) -> bool:
    pod = pod_of(identity)
    return any(each.pod == pod and each.holder is None for each in requests(LOG, since))


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


def seconds_until(look: Callable[[], bool], within: float) -> float:
    begun = time.monotonic()
    poll(look, "nobody takes over", within, every=0.1)
    return time.monotonic() - begun


def taken_over(kube: Kube, first: str, within: float) -> float:
    """Seconds until another leads."""
    return seconds_until(lambda: leader(kube) not in {first, ""}, within)


def test_a_killed_leaders_place_is_taken_when_its_lease_ran_out(kube: Kube, led: str):
    os.kill(process_of(led), signal.SIGKILL)
    assert taken_over(kube, led, within=40) < LEASE + 2 + 3  # a busy machine


def test_a_leader_whose_pod_is_deleted_hands_over_within_three_seconds(kube: Kube, led: str):
    kube("delete", "pod", pod_of(led), f"-n={NAMESPACE}", "--wait=false")
    assert taken_over(kube, led, within=40) < 3


def test_a_leader_that_stood_still_past_its_lease_writes_nothing_more_and_ends(
    kube: Kube, led: str
):
    process, container = process_of(led), container_of(kube, led)["containerID"]
    os.kill(process, signal.SIGSTOP)
    try:
        taken_over(kube, led, within=40)
    finally:
        os.kill(process, signal.SIGCONT)
    # A process that the kubelet's probe ended would leave 137 or 143.
    poll(lambda: exit_code(kube, led, container) is not None, "it does not end", 30)
    assert exit_code(kube, led, container) == 1


def container_of(kube: Kube, identity: str) -> Object:
    (found,) = (kube.get("pod", pod_of(identity), NAMESPACE) or {})["status"]["containerStatuses"]
    return dict(found)


def exit_code(kube: Kube, identity: str, container: str) -> int | None:
    """With what this container ended; None while it runs."""
    now = container_of(kube, identity)
    for state in (now["state"], now["lastState"]):
        ended = state.get("terminated") or {}
        if ended.get("containerID") == container:
            return int(ended["exitCode"])
    return None
