"""Did the status tell the truth? Pure: what was said and what was seen, sample by sample.

A sample is one request on a fresh connection to a ModelDeployment's Service, beside what its
status said while the request was under way. Status and traffic are two writes and endpoints take a
moment to reach every node, so a disagreement counts only when it outlasts TOLERATED_SECONDS.

What was scaled to zero says so at once, and its last pods answer while they drain: where all pods
of a Service are on their way out, kube-proxy goes on sending new connections to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

# A status follows the traffic within a second; where thirty pods start at once on two processors,
# kube-proxy, the Deployment controller and the operator each wait for one, and it is up to 3 s.
TOLERATED_SECONDS = 4.0  # seconds
DRAINING_SECONDS = 30.0  # seconds that a pod has to end
LEAVING = frozenset({"ScaledToZero", "ScaledDown", "HandingOver"})  # why Ready is False then


class Claim(NamedTuple):
    """What a status claims; None where it claims nothing yet."""

    ready: bool | None = None
    version: str | None = None
    leaving: bool = False  # to zero, or behind a lobby: the last pods may still drain
    alongside: str | None = None  # the version that answers too, while one takes over in steps


class Sample(NamedTuple):
    """One look at one ModelDeployment, at a time in seconds of any clock."""

    at: float
    of: str
    claims: tuple[Claim, ...]  # from the request to its answer, oldest first; never empty
    answered: bool
    version: str = ""  # of x-pennant-version; a server of the user's own names none


class Disagreement(NamedTuple):
    """Consecutive samples in which the same thing was said wrongly, from first to last."""

    of: str
    problem: str
    begun: float
    ended: float
    tolerated: float = TOLERATED_SECONDS

    @property
    def seconds(self) -> float:
        """How long it was seen to last, which is no longer than it did."""
        return self.ended - self.begun

    @property
    def counts(self) -> bool:
        """Whether it outlasted what is tolerated."""
        return self.seconds > self.tolerated

    def __str__(self) -> str:
        return f"{self.of}: for {self.seconds:.1f} s {self.problem}"


def claim_of(status: dict[str, Any]) -> Claim:
    """The claims of a ModelDeployment's status."""
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    version = status.get("serving", {}).get("version")
    if "Ready" not in conditions:
        return Claim(version=version)
    ready = conditions["Ready"]
    alongside = status.get("alongside", {}).get("version")
    return Claim(ready["status"] == "True", version, ready["reason"] in LEAVING, alongside)


def problem(sample: Sample) -> str:
    """What is wrong with what was said last; empty when any of it agrees with what was seen."""
    problems = [_problem(claim, sample) for claim in sample.claims]
    return problems[-1] if all(problems) else ""


def _problem(claim: Claim, sample: Sample) -> str:
    if claim.ready is None or (not claim.ready and not sample.answered):
        return ""
    if not sample.answered:
        return "Ready is True, and nothing answers"
    if not claim.ready:
        return f"Ready is False, and version {sample.version or 'unnamed'} answers"
    if sample.version and sample.version not in {claim.version, claim.alongside}:
        return f"version {claim.version} is said to serve, and version {sample.version} answers"
    return ""


def claims_since(claims: list[tuple[float, Claim]], begun: float) -> tuple[Claim, ...]:
    """What held at a time or came after it, of claims in order of time."""
    before = sum(at <= begun for at, _ in claims)
    return tuple(claim for _, claim in claims[max(before - 1, 0) :])


def disagreements(samples: Iterable[Sample]) -> list[Disagreement]:
    """All of them, also those too short to count; of each ModelDeployment in order of time."""
    ordered = sorted(samples, key=lambda sample: (sample.of, sample.at))
    runs = []
    for (of, what), group in groupby(ordered, key=lambda sample: (sample.of, problem(sample))):
        if what:
            run = list(group)
            leaving = all(sample.claims[-1].leaving for sample in run)
            limit = DRAINING_SECONDS if leaving else TOLERATED_SECONDS
            runs.append(Disagreement(of, what, run[0].at, run[-1].at, limit))
    return runs


class SampleTally(NamedTuple):
    """What the samples of one process, or of several, come to."""

    samples: int = 0
    deployments: int = 0
    counted: int = 0  # disagreements that count
    longest: float = 0.0  # seconds

    def and_also(self, other: Sequence[float]) -> SampleTally:
        """With those of a process that looked at other ModelDeployments."""
        samples, deployments, counted, longest = other
        return SampleTally(
            self.samples + int(samples),
            self.deployments + int(deployments),
            self.counted + int(counted),
            max(self.longest, longest),
        )

    def __str__(self) -> str:
        return (
            f"{self.samples} samples of {self.deployments} ModelDeployments, {self.counted} "
            f"disagreements of more than {TOLERATED_SECONDS:.0f} s, "
            f"the longest {self.longest:.1f} s"
        )


def tally(samples: list[Sample]) -> SampleTally:
    """For the end of the tier; draining is no disagreement until it outlasts DRAINING_SECONDS."""
    lasting = [
        each
        for each in disagreements(samples)
        if each.counts or each.tolerated == TOLERATED_SECONDS
    ]
    counted = sum(each.counts for each in lasting)
    longest = max((each.seconds for each in lasting), default=0.0)
    return SampleTally(len(samples), len({sample.of for sample in samples}), counted, longest)
