"""What is pinned as the traffic moves: bytes that nobody tagged, and the packages beside them.

Later pods of a revision must have the same: an artifact that was overwritten gets no traffic, and
an index that changed its mind changes nothing.
"""

from pennant_operator.decide.manifests.rehearsal import traffic_mark
from pennant_operator.decide.seen.environment import (
    InstalledEnvironment,
    common_environment,
    environment_key,
)
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.proven import traffic_marks
from pennant_operator.decide.verdict import Passed


def next_pins(step: Step) -> dict[str, str] | None:
    """All that is to be pinned, with what marks revisions that had the traffic; None: no news."""
    new, pins, marks = _new_pins(step), step.pins, traffic_marks(step)
    if not new and marks.keys() == {key for key in pins if key.startswith(traffic_mark(""))}:
        return None
    alive = {*step.records, *(s.revision for s in step.world.slots.values() if s.revision)}
    keys = alive | {environment_key(revision) for revision in alive}
    return {**{key: pin for key, pin in pins.items() if key in keys}, **new, **marks}


def _new_pins(step: Step) -> dict[str, str]:
    digests = {r: d for r, d in _fetched_digests(step).items() if step.digest_of(r) is None}
    environments = {
        environment_key(revision): environment.report
        for revision, environment in _environments(step).items()
        if step.environment_of(revision) is None
    }
    return digests | environments


def _fetched_digests(step: Step) -> dict[str, str]:
    """What the candidate's pods agreed on, and what those with traffic did, if the pin is lost."""
    digests: dict[str, str] = {}
    if step.world.traffic is not None and step.world.active is not None:
        of_active = {pod.digest for pod in step.world.active.running}
        if len(of_active) == 1 and (digest := of_active.pop()):
            digests[step.world.traffic.revision] = digest
    if isinstance(step.verdict, Passed) and step.goal.target is not None:
        digests[step.goal.target] = step.verdict.digest
    return digests


def _environments(step: Step) -> dict[str, InstalledEnvironment]:
    """Likewise, of revisions whose pods install packages."""
    agreed: dict[str, InstalledEnvironment | None] = {}
    if step.world.traffic is not None and step.world.active is not None:
        of_active = common_environment(pod.environment for pod in step.world.active.running)
        agreed[step.world.traffic.revision] = of_active
    if isinstance(step.verdict, Passed) and step.goal.target is not None:
        agreed[step.goal.target] = step.verdict.environment
    return {
        revision: environment
        for revision, environment in agreed.items()
        if environment and revision in step.records and step.records[revision].installs
    }
