"""How pods of a simulated cluster fare: templates that turn a fresh pod into one with a history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pennant_operator.decide.seen.environment import environment_from_report
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.termination import Failure
from pennant_testing.memory.object_builders import installed

PodTemplate = Callable[[PodFacts], PodFacts]


def becomes_ready(pod: PodFacts) -> PodFacts:
    """A pod that fetched, loaded and answers; its digest is that of the version."""
    then = pod.created
    return replace(pod, scheduled=then, fetched=then, ready=True, been_ready=True, ready_since=then)


def fails(reason: str, *, container: str = "serve", attempts: int = 2) -> PodTemplate:
    """A pod whose container keeps failing for a reason."""

    def template(pod: PodFacts) -> PodFacts:
        failure = Failure(container, reason, f"{reason} happened", 1)
        fetched = pod.created if container == "serve" else None
        return replace(
            pod, scheduled=pod.created, fetched=fetched, attempts=attempts, failure=failure
        )

    return template


def crashed(at: datetime) -> PodTemplate:
    """A pod that answered until its process ended."""

    def template(pod: PodFacts) -> PodFacts:
        failure = Failure("serve", "Error", "exit code 139", 139, at=at)
        return replace(becomes_ready(pod), ready=False, attempts=2, failure=failure)

    return template


def stays_pending(pod: PodFacts) -> PodFacts:
    """A pod no node has room for."""
    return replace(pod, node=None, unschedulable="0/2 nodes are available: insufficient cpu")


def crashes(pod: PodFacts) -> PodFacts:
    """A pod that answered once, and whose process ends again and again."""
    failure = Failure("serve", "Error", "exit code 139", 139, at=pod.created)
    return replace(becomes_ready(pod), ready=False, been_ready=True, attempts=9, failure=failure)


def hangs(pod: PodFacts) -> PodFacts:
    """A pod that fetched and never becomes ready."""
    return replace(pod, scheduled=pod.created, fetched=pod.created)


def first_fails(pod: PodFacts) -> PodFacts:
    """The first pod of the slot keeps failing, the others are ready."""
    return fails("LoadFailed", attempts=5)(pod) if "-0-" in pod.name else becomes_ready(pod)


def fetches_other_bytes(pod: PodFacts) -> PodFacts:
    """Each pod of the slot fetched bytes of its own."""
    return replace(becomes_ready(pod), digest=f"sha-{pod.name}")


def installs_other_packages(pod: PodFacts) -> PodFacts:
    """Each pod of the slot asked an index that had changed since the one before."""
    if pod.environment is None:
        return becomes_ready(pod)
    number = int(pod.name.split("-")[1])
    packages = installed(f"{(number + 11) % 16:x}")  # those that come first are not those of "a"
    return replace(becomes_ready(pod), environment=environment_from_report(packages))


def reports_no_packages(pod: PodFacts) -> PodFacts:
    """Each pod of the slot runs a `fetch` that knows nothing of them."""
    return replace(becomes_ready(pod), environment=None)


def killed(pod: PodFacts) -> PodFacts:
    """A pod that is ended from outside whenever it loads, as by a probe."""
    failure = Failure("serve", "Killed", "ended from outside", 137, at=pod.created)
    return replace(hangs(pod), attempts=4, failure=failure)


# What becomes of the pods of a version, by name.
BEHAVIOURS = {
    "are ready": becomes_ready,
    "cannot load": fails("LoadFailed"),
    "cannot fetch": fails("DownloadFailed", container="fetch"),
    "fail on one node": first_fails,
    "fetch other bytes": fetches_other_bytes,
    "install other packages": installs_other_packages,
    "report no packages": reports_no_packages,
    "fail their rehearsal": fails("RehearsalFailed"),
    "hang": hangs,
    "find no room": stays_pending,
    "are killed": killed,
}
