"""Posts Events on a ModelDeployment: what `plan` says, and not twice what it decides twice.

As client-go's recorder does, by the older of the two APIs: only there may an Event carry the times
that `kubectl describe` puts them in order by.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from pennant_operator.act.cluster import Cluster
from pennant_operator.decide.intent import Event
from pennant_operator.decide.times import format_micro_time, format_time
from pennant_operator.decide.vocabulary import GROUP
from pennant_operator.kube import ApiError, Object

LOG = logging.getLogger(__name__)
REPEAT_AFTER = timedelta(minutes=10)  # that an Event, decided over and over, is not posted anew
NOTE_LIMIT_BYTES = 1024  # of an Event's message: the API's own limit
INSTANCE_LIMIT_BYTES = 128  # of an Event's reporter: the API's own limit
ELLIPSIS = "…"
NANOSECONDS_PER_MICROSECOND = 1000


class Recorder:
    """Remembers what was posted, so that what is decided again is not said again."""

    def __init__(self, cluster: Cluster, instance: str) -> None:
        self._cluster = cluster
        self._instance = truncated(instance, INSTANCE_LIMIT_BYTES)
        self._posted: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()
        self._last = 0  # nanoseconds of the last one's name

    async def post(self, owner: Object, event: Event, now: datetime) -> None:
        """Post one Event. It is a courtesy: if it fails, it is logged and nothing waits for it."""
        meta = owner["metadata"]
        key = _event_key(owner, event)
        self._forget_expired(now)
        if key in self._posted:
            # What is decided again and again is said once, not every ten minutes.
            self._posted[key] = now
            self._posted.move_to_end(key)
            return
        line = f"{meta['namespace']}/{meta['name']}: {event.reason}: {_one_line(event.message)}"
        try:
            await self._cluster.post_event(self._object(owner, event, now))
        except ApiError as error:
            LOG.warning("%s (Event not posted: %s)", line, error)
            return
        LOG.info("%s", line)
        self._posted[key] = now

    def forget_posted(self, owner: Object, events: Iterable[Event]) -> None:
        """The status that they led to is written: who decides the same anew saw it once more."""
        for event in events:
            if not event.lasting:
                self._posted.pop(_event_key(owner, event), None)

    def _forget_expired(self, now: datetime) -> None:
        while self._posted and now - next(iter(self._posted.values())) > REPEAT_AFTER:
            self._posted.popitem(last=False)

    def _object(self, owner: Object, event: Event, now: datetime) -> Object:
        meta, second = owner["metadata"], format_time(now)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{self._nanoseconds(now):x}",
                "namespace": meta["namespace"],
            },
            "eventTime": format_micro_time(now),
            "firstTimestamp": second,
            "lastTimestamp": second,
            "count": 1,
            "source": {"component": f"{GROUP}/operator"},
            "reportingComponent": f"{GROUP}/operator",
            "reportingInstance": self._instance,
            "action": event.reason,
            "reason": event.reason,
            "type": event.type,
            "message": truncated(event.message, NOTE_LIMIT_BYTES),
            "involvedObject": {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
        }

    def _nanoseconds(self, now: datetime) -> int:
        """A name of its own for each, in order: several are of one decision, at one time."""
        self._last = max(round(now.timestamp() * 1e6) * NANOSECONDS_PER_MICROSECOND, self._last + 1)
        return self._last


def _event_key(owner: Object, event: Event) -> tuple[str, str, str]:
    return owner["metadata"]["uid"], event.reason, event.message


def truncated(text: str, limit: int) -> str:
    """As much of it as has room in so many bytes of UTF-8, and a sign that it was more."""
    data = text.encode(errors="replace")
    if len(data) <= limit:
        return data.decode()
    return data[: limit - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def _one_line(text: str) -> str:
    """A model says what it likes; it may not write lines of this log."""
    return " ".join(text.split())
