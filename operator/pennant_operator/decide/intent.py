"""What `plan` wants done: the writes in order, the status, the events, when to look again."""

from dataclasses import dataclass, field
from typing import Any

NORMAL, WARNING = "Normal", "Warning"  # types of Events


@dataclass(frozen=True)
class Event:
    """One Event on the ModelDeployment."""

    type: str  # Normal | Warning
    reason: str
    message: str
    lasting: bool = False  # of what is so, and decided each time; else of what just changed


@dataclass(frozen=True)
class Apply:
    """Server-side apply of one child.

    With the `uid` of the object that was seen to be ours it takes back what others set, and fails
    if another object has the name by then; without one it makes a new object. `resource_version`
    where the write must fail if the object changed since it was decided on (traffic, template, to
    zero). `admitted` are the fields that admission is known to change, `event` is posted when it is
    done.
    """

    manifest: dict[str, Any]
    uid: str | None = None
    resource_version: str | None = None
    admitted: frozenset[tuple[str, ...]] = frozenset()
    event: Event | None = None


@dataclass(frozen=True)
class Create:
    """Creation of an immutable child; ours already there is fine (same name, same content)."""

    manifest: dict[str, Any]


@dataclass(frozen=True)
class CreateToken:
    """Creation of a Secret with a random token under `key`, which whoever carries this out draws.

    It is never read: one that is there already is as good.
    """

    manifest: dict[str, Any]
    key: str


@dataclass(frozen=True)
class Adopt:
    """An orphan of ours gets an owner: nothing but its references changes."""

    kind: str
    name: str
    resource_version: str
    references: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Delete:
    """Deletion of one child, or of one bad pod of a slot, with preconditions on both."""

    kind: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True)
class ActionStatus:
    """The status of a RolloutAction, as it was seen, is to be this."""

    action: dict[str, Any]
    status: dict[str, Any]


@dataclass(frozen=True)
class AnnotatePod:
    """A pod's annotation about whom to hand requests over to is to be this; "": is to go."""

    name: str
    uid: str
    shares: str
    kind: str = "Pod"


Write = Apply | Create | CreateToken | Adopt | Delete | AnnotatePod
ActionReport = ActionStatus | Delete  # what is told of a RolloutAction, on the object itself


@dataclass(frozen=True)
class Plan:
    """Writes are carried out in order and stop at the first failure; status comes after them.

    Where a rollout begins, the status comes first: that it has a place among those of its registry
    must be known before it takes it.
    What RolloutActions are told of themselves comes last: it says what the status says by then.
    """

    writes: tuple[Write, ...] = ()
    status: dict[str, Any] | None = None  # None: leave it as it is
    events: tuple[Event, ...] = ()
    reports: tuple[ActionReport, ...] = ()
    requeue_after: float | None = None  # seconds; None: wait for an event
    begins: bool = False  # a rollout
    given_up: tuple[tuple[str, str, str], ...] = ()  # messages: id, registry, notifier
    durations: dict[str, float] = field(default_factory=dict)  # of a rollout that this plan ends

    @property
    def claims_names(self) -> bool:
        """Whether it writes to a name where nothing of ours was seen (law 11)."""
        return any(isinstance(write, Apply) and write.uid is None for write in self.writes)
