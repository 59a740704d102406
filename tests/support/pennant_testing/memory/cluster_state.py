"""What a simulated cluster holds: one ModelDeployment, its children, its pods, and the time.

Objects are replaced, never changed in place, so that whoever looked at one keeps what was seen.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pennant_operator.decide.intent import Event
from pennant_operator.decide.notify.outbox import Delivery
from pennant_operator.decide.seen.answers import AnswerCounts
from pennant_operator.decide.seen.mirror import Mirrored
from pennant_operator.decide.seen.observed import (
    Desired,
    Images,
    ModelVersion,
    RegistryFacts,
    Turn,
)
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.revision import Record
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Holds
from pennant_testing.memory.object_builders import IMAGES, NOW, REGISTRY, model_deployment
from pennant_testing.memory.scarcity import Scarcity
from pennant_testing.memory.simulated_pods import PodTemplate

SLOTS = ("blue", "green")
REVISION = "pennant.dev/revision"


@dataclass(frozen=True)
class AppliedManifest:
    """What was applied last, whose fields that made, and when."""

    manifest: dict[str, Any]
    fields: dict[str, Any]
    time: str


@dataclass
class ClusterState:
    """One ModelDeployment, its children and its pods."""

    desired: Desired
    owner: dict[str, Any] = field(default_factory=model_deployment)
    now: datetime = NOW
    images: Images = IMAGES
    registry: RegistryFacts | None = REGISTRY
    turn: Turn = field(default_factory=Turn)  # what others of its registry do
    sent: frozenset[Delivery] = frozenset()  # to notifiers, by the process that runs
    facts: dict[str, VersionFacts] = field(default_factory=dict)  # what gates are told, by version
    last_good: ModelVersion | None = None  # by the tag of its place
    holds: Holds | None = None  # in the registry; None: this process has not been told
    # what pods report, by version, or why they do not; where none does, none can be asked
    answers: dict[str, AnswerCounts | str] = field(default_factory=dict)
    mirrored: Mirrored | None = None  # what pods with traffic report of copies
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)  # RolloutActions, by name
    actors_checked: bool = False
    children: dict[str, dict[str, Any]] = field(default_factory=dict)
    applied: dict[str, AppliedManifest] = field(
        default_factory=dict
    )  # the last apply to each child
    records: dict[str, Record] = field(default_factory=dict)
    owners: dict[str, str | None] = field(default_factory=dict)  # of each record, its uid
    tokens: set[str] = field(default_factory=set)  # names of Secrets that nobody may read
    versions: dict[str, str] = field(default_factory=dict)  # of every revision there ever was
    pods: dict[str, list[PodFacts]] = field(default_factory=lambda: {s: [] for s in SLOTS})
    installs: set[str] = field(default_factory=set)  # revisions whose pods install packages
    locks: dict[str, str] = field(default_factory=dict)  # by revision: what its pods are told
    packages: str = "a"  # what the package index has now: a hexadecimal digit
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)  # of the ReplicaSets
    refused: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SLOTS, False))
    lobby_asked: int = 0  # pods that the lobby's Deployment was heard to ask for
    lobby_pods: int = 0  # of those, the ones that are there, and ready
    behaviour: dict[str, PodTemplate] = field(default_factory=dict)  # by model version
    lacks: Scarcity = field(default_factory=Scarcity)
    events: list[Event] = field(default_factory=list)
    writes: list[Any] = field(default_factory=list)
    counter: int = 1

    def deployment(self, slot: str) -> dict[str, Any] | None:
        """The Deployment of a slot, unless it is somebody else's."""
        deployment = self.children.get(f"Deployment/{self.owner['metadata']['name']}-{slot}")
        return deployment if deployment and "labels" in deployment["metadata"] else None

    @property
    def lobby(self) -> dict[str, Any] | None:
        """The Deployment whose pods hold requests, unless it is somebody else's."""
        deployment = self.children.get(f"Deployment/{self.owner['metadata']['name']}-lobby")
        return deployment if deployment and "labels" in deployment["metadata"] else None

    def own_records(self) -> dict[str, Record]:
        """Of this ModelDeployment, not of a deleted one of its name."""
        uid = self.owner["metadata"]["uid"]
        return {r: x for r, x in self.records.items() if self.owners[r] == uid}


def owner_uid(obj: dict[str, Any]) -> str | None:
    return next((str(o["uid"]) for o in obj["metadata"].get("ownerReferences", ())), None)
