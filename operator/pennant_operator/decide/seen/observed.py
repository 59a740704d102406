"""What was seen, as plain data: the only input of `plan`.

Children are the API's own objects (dicts); pods are reduced to facts by `pod_facts.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from pennant_operator.decide.notify.notifiers import Recipient
from pennant_operator.decide.notify.outbox import Delivery
from pennant_operator.decide.seen.actions import RolloutAction
from pennant_operator.decide.seen.answers import Reports
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.revision import Record
from pennant_registry.gates import NO_GATES, Gates, VersionFacts
from pennant_registry.hold_form import Holds

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Unknown:
    """The registry has not answered: nothing may be concluded from it (law 2)."""

    reason: str
    message: str
    since: datetime | None = None  # of the outage; None: not asked yet


@dataclass(frozen=True)
class ModelVersion:
    """A version the registry answered with, its source resolved so that it cannot float."""

    name: str
    version: str
    created: int  # milliseconds since the epoch, the registry's own time stamp
    source: str  # artifact URI without alias or stage, e.g. mlflow-artifacts:/1/<run>/artifacts/x
    sha256: str | None = None  # the tag `pennant.sha256`
    registered: int = 0  # when its model was made, likewise
    beside: tuple[str, ...] = ()  # lower versions in the same stage, highest first
    image: str | None = None  # the tag `pennant.image`
    environment: str | None = None  # the tag `pennant.environment`
    # The registry says nothing of it now, and this is what it said last.
    silence: "Unknown | Unresolved | None" = None

    @classmethod
    def of_record(cls, record: Record) -> "ModelVersion":
        """As it was resolved at first contact."""
        return cls(
            name=record.model,
            version=record.version,
            created=record.created,
            source=record.source,
            sha256=record.sha256,
            registered=record.registered,
            image=record.image,
            environment=record.environment,
        )

    # Its tags in which `promote` wrote who moved what here: for the record, nothing goes by them.
    moves: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Absent:
    """The registry answered, and again later, that there is nothing to follow: no alias, model or
    version.
    """

    reason: str
    message: str


@dataclass(frozen=True)
class Unresolved:
    """The registry answers, and not this, or not yet for good: it moves nothing (law 2)."""

    reason: str
    message: str
    version: str | None = None  # that is desired, where at least that is known


@dataclass(frozen=True)
class Refused:
    """What the spec asks for is not to be had until a person changes something."""

    reason: str
    message: str
    version: str | None = None  # that is desired, where that is known


Desired: TypeAlias = ModelVersion | Absent | Unresolved | Unknown | Refused


@dataclass(frozen=True)
class GateFacts:
    """What the registry says of a version, and of the one that serves, to those gates that ask."""

    version: VersionFacts
    serving: VersionFacts | None = None  # None: nothing serves


@dataclass(frozen=True)
class PackageIndex:
    """Where pods may get the packages from that a bundle asks for."""

    url: str
    extra_urls: tuple[str, ...] = ()
    credentials_secret: str | None = None  # in the namespace of the pods


@dataclass(frozen=True)
class RegistryFacts:
    """What is needed of a ModelRegistry: by fetch containers (a child ConfigMap), and its gates."""

    url: str
    allowed_sources: tuple[str, ...] = ("mlflow-artifacts:/",)
    allowed_images: tuple[str, ...] = ()  # patterns; none: no version may bring its own
    ca_bundle: str = ""
    proxy: str = ""
    gates: Gates = NO_GATES  # a floor: those of the ModelDeployment come on top
    braked: bool = False  # so many aliases moved at once that nothing is rolled out
    max_rollouts: int = 20  # that come up at once
    index: PackageIndex | None = None  # None: no bundle brings its own packages
    notifiers: tuple[Recipient, ...] = ()  # are sent what becomes of versions


@dataclass(frozen=True)
class Turn:
    """Where one ModelDeployment is in the line of its registry's rollouts."""

    others: int = 0  # ModelDeployments whose candidates come up now
    ahead: int = 0  # that wait and came before


POD_FS_GROUP = 65532  # of the images' own user


@dataclass(frozen=True)
class Images:
    """The operator-pinned images: fetch always, serving where the spec names none.

    And what the cluster's administrator says of every pod with them.
    """

    fetch: str
    serving: str
    fs_group: int | None = POD_FS_GROUP  # owns the volumes; None: the cluster chooses
    by_python: Mapping[str, str] = field(default_factory=dict)  # both, for spec.serving.python

    def for_python(self, python: str | None) -> "Images":
        """Those of pods that want this Python; None, and what is not listed: the usual ones."""
        image = self.by_python.get(python or "")
        return replace(self, fetch=image, serving=image) if image else self


@dataclass(frozen=True)
class Observed:
    """One ModelDeployment, its children and what the registry says, at one moment."""

    owner: Object
    desired: Desired
    registry: RegistryFacts | None
    images: Images
    children: dict[str, Object] = field(default_factory=dict)  # "Kind/name" -> object
    records: dict[str, Record] = field(default_factory=dict)  # revision -> what was recorded
    pods: dict[str, tuple[PodFacts, ...]] = field(default_factory=dict)  # slot -> pods
    gate_facts: GateFacts | None = None  # None: no gate asks, or the registry has not answered yet
    serving_missing: bool | None = False  # what serves was deleted; None: nobody knows yet
    last_good: ModelVersion | None = None  # by its tag; None: there is none, or nobody asks
    holds: Holds | None = None  # in the registry; None: it has not said since this process began
    reports: Reports | None = None  # of answers; None: nobody was asked, or they are on their way
    turn: Turn = field(default_factory=Turn)
    actions: tuple[RolloutAction, ...] = ()  # those about it, oldest first
    actors_checked: bool = False  # the API server holds `spec.actor` to whoever creates one
    unreadable: tuple[str, ...] = ()  # names of records that tell nothing, each with the reason
    sent: frozenset[Delivery] = frozenset()  # to notifiers, and the status does not know it yet
