"""Which slot and revision have the traffic, and how it gets there.

The Service says which slot has the traffic. When somebody deleted it, `status.serving` says which
revision had it, and the slot that holds that revision has it again. What people wrote over our
annotations is no reason to fall over: what the slot holds is what answers.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.slot import Slot, selected_slot
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_REVISION,
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    ANNOTATION_ALONGSIDE_REVISION,
    ANNOTATION_WARM_REVISION,
    LABEL_DEPLOYMENT,
    LABEL_LOBBY,
    LABEL_SLOT,
)

MAX_CLOCK_SKEW = timedelta(minutes=1)  # between the clocks of two replicas, at most
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class Route(Enum):
    """Where the Service's selector leads."""

    SLOT = "slot"  # to the one that has the traffic
    BOTH = "slots"  # to the pods of both: Rolling, while it moves
    LOBBY = "lobby"  # Recreate, while it moves


@dataclass(frozen=True)
class Traffic:
    """Which slot and revision have it, since when, and what stays warm beside it."""

    slot: str
    revision: str
    since: datetime
    warm: str | None = None  # the revision that had the traffic before
    route: Route = Route.SLOT
    alongside: str | None = None  # the revision in the other slot, where both have traffic

    def bakes_until(self, bake: timedelta) -> datetime:
        """The end of the time in which going back takes no start."""
        return self.since + bake

    def annotations(self, since: str) -> dict[str, str]:
        """As they stand on the Service."""
        beside = {ANNOTATION_ALONGSIDE_REVISION: self.alongside} if self.alongside else {}
        return {
            ANNOTATION_ACTIVE_SLOT: self.slot,
            ANNOTATION_ACTIVE_REVISION: self.revision,
            ANNOTATION_ACTIVE_SINCE: since,
            ANNOTATION_WARM_REVISION: self.warm or "",
            **beside,
        }

    def on_both(self, alongside: str) -> "Traffic":
        """As it is once the pods of the other slot, of this revision, have a part of it."""
        return replace(self, warm=None, route=Route.BOTH, alongside=alongside)

    def on_one(self) -> "Traffic":
        """As it is once the other slot has none of it."""
        return replace(self, route=Route.SLOT, alongside=None)


def traffic_of(
    service: Object | None,
    slots: dict[str, Slot],
    records: Container[str],
    status: dict[str, Any],
    now: datetime,
) -> Traffic | None:
    """By the Service, or by `status.serving` where there is none; None: nothing has the traffic."""
    serving = status.get("serving") or {}
    if service is None:
        return _traffic_of_status(serving, status.get("alongside") or {}, slots)
    traffic = _traffic_of_service(service, slots, records, serving, now)
    if traffic is None and _route_of(service) is not Route.SLOT:
        # What is written beside a selector of no slot is lost: the status says what had it.
        lost = _traffic_of_status(serving, status.get("alongside") or {}, slots)
        return lost and replace(lost, route=_route_of(service))
    return traffic


def answering_pods(service: Object, slots: dict[str, Slot]) -> int:
    """Ready pods to which this Service leads."""
    slot = selected_slot(service, slots)
    if slot is None:
        return 0
    both = _route_of(service) is Route.BOTH
    return sum(each.ready for each in slots.values() if both or each.name == slot)


def _traffic_of_service(
    service: Object,
    slots: dict[str, Slot],
    records: Container[str],
    serving: dict[str, Any],
    now: datetime,
) -> Traffic | None:
    annotations = service["metadata"].get("annotations") or {}
    slot = selected_slot(service, slots)
    if slot is None:
        return None
    annotated = annotations.get(ANNOTATION_ACTIVE_REVISION)
    named = [r for r in (slots[slot].revision, annotated, serving.get("revision")) if r]
    revision = next((r for r in named if r in records), named[0] if named else None)
    if not revision:
        return None
    other = next(s for s in slots.values() if s.name != slot)
    if annotated and annotated != revision and annotated == other.revision and other.ready:
        # Somebody moved the traffic by hand: what had it stays warm as after any other move.
        return Traffic(slot, revision, now.replace(microsecond=0), annotated)
    since = _first_time(annotations.get(ANNOTATION_ACTIVE_SINCE), serving.get("since"))
    if since > now + MAX_CLOCK_SKEW:  # no clock wrote that
        since = now.replace(microsecond=0)
    warm = annotations.get(ANNOTATION_WARM_REVISION) or None
    traffic = Traffic(slot, revision, since, warm, _route_of(service))
    if traffic.route is not Route.BOTH:
        return traffic
    return traffic.on_both(str(annotations[ANNOTATION_ALONGSIDE_REVISION]))


def _route_of(service: Object) -> Route:
    """What somebody else wrote leads nowhere that is known, and is put right like a slot's."""
    selector = service["spec"].get("selector") or {}
    if LABEL_LOBBY in selector:
        return Route.LOBBY
    annotations = service["metadata"].get("annotations") or {}
    both = LABEL_DEPLOYMENT in selector and LABEL_SLOT not in selector
    return Route.BOTH if both and annotations.get(ANNOTATION_ALONGSIDE_REVISION) else Route.SLOT


def _traffic_of_status(
    serving: dict[str, Any], alongside: dict[str, Any], slots: dict[str, Slot]
) -> Traffic | None:
    holder = next((s.name for s in slots.values() if s.revision == serving.get("revision")), None)
    if not serving or holder is None:
        return None
    traffic = Traffic(holder, serving["revision"], _first_time(serving.get("since")))
    others = {slot.revision for slot in slots.values() if slot.name != holder}
    beside = alongside.get("revision")
    return traffic.on_both(str(beside)) if beside in others - {None} else traffic


def _first_time(*times: str | None) -> datetime:
    """The first that is a time; else one so long ago that no bake is left of it."""
    for text in times:
        try:
            return parse_time(text or "")
        except ValueError:
            continue
    return _LONG_AGO
