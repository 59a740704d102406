"""Situations with a past: something was said of a spec, and then it, or the answer, changed.

The status is what the first look makes of a ModelDeployment that served before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pennant_operator.decide.registry.no_answer import registry_not_asked, registry_silent
from pennant_operator.decide.seen.observed import Desired, RegistryFacts
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll.absence import missing_alias
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, serving

CANARY = {"model": {"name": "news", "alias": "canary"}}
MEMORY = {"serving": {"resources": {"limits": {"memory": "2Gi"}}}}
GONE = missing_alias(Watch("default", "news", alias="production"))
ANSWERS: dict[str, Callable[[Simulation], Desired]] = {
    "not asked yet": lambda _: registry_not_asked("default"),
    "unreachable": lambda sim: registry_silent("default", sim.now),
}
CLOSED = RegistryFacts("http://mlflow.example:5000", allowed_sources=("s3://elsewhere",))


@dataclass(frozen=True)
class Past:
    """What was the case before, and what is edited now."""

    spec: dict[str, Any] = field(default_factory=dict)
    answer: Desired | None = None  # the last one; None: the version that serves
    edit: dict[str, Any] = field(default_factory=dict)
    registry: RegistryFacts | None = None  # another one from now on


PASTS = {
    "restart": Past(),
    "restart (alias removed before)": Past(answer=GONE),
    "restart (suspended before 8)": Past(spec={"suspend": True}, answer=version(8)),
    "suspend edited (suspended before 8)": Past(
        spec={"suspend": True}, answer=version(8), edit={"suspend": False}
    ),
    "size edited": Past(edit={"replicas": 1}),
    "size edited (alias removed before)": Past(answer=GONE, edit={"replicas": 1}),
    "alias edited": Past(edit=CANARY),
    "alias edited (suspended)": Past(spec={"suspend": True}, edit=CANARY),
    "pinned to 8 (which never ran)": Past(edit={"model": {"name": "news", "version": "8"}}),
    "pinned to 6 (which ran before)": Past(edit={"model": {"name": "news", "version": "6"}}),
    "memory edited": Past(edit=MEMORY),
    "memory edited (suspended)": Past(spec={"suspend": True}, edit=MEMORY),
    "memory edited (alias removed before)": Past(answer=GONE, edit=MEMORY),
    "memory edited (source refused now)": Past(edit=MEMORY, registry=CLOSED),
    "packages edited (no index)": Past(edit={"serving": {"environment": "Bundle"}}),
}


def silent_since(past: Past, answer: str | None) -> Simulation:
    """Version 6 served before 7, and since the edit the registry says nothing (None: as before)."""
    sim = serving(6)
    sim.desired = version(7)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.specify(**past.spec)
    sim.desired = past.answer or version(7)
    sim.run(2)
    if past.registry is not None:
        sim.registry = past.registry
    sim.specify(**past.edit)
    if answer is not None:
        sim.desired = ANSWERS[answer](sim)
    sim.run(1)
    return sim


def after_edits() -> dict[tuple[str, str], dict[str, Any]]:
    """The status by the name of the past and of the answer."""
    return {
        (name, answer): silent_since(past, answer).status
        for name, past in PASTS.items()
        for answer in ANSWERS
    }
