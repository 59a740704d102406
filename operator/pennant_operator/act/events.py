"""Posts Events on a ModelDeployment: what `plan` says, and not twice within ten minutes."""

import logging
import uuid
from collections import OrderedDict
from datetime import datetime, timedelta

from pennant_operator.act.cluster import Cluster
from pennant_operator.decide.intent import Event
from pennant_operator.decide.times import format_micro_time
from pennant_operator.decide.vocabulary import GROUP
from pennant_operator.kube import ApiError, Object

LOG = logging.getLogger(__name__)
REPEAT_AFTER = timedelta(minutes=10)
NOTE_LIMIT = 1024  # characters, the API's own limit


class Recorder:
    """Remembers what was posted, so that a retried reconcile does not say it again."""

    def __init__(self, cluster: Cluster, instance: str) -> None:
        self._cluster = cluster
        self._instance = instance
        self._posted: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()

    async def post(self, owner: Object, event: Event, now: datetime) -> None:
        """Post one Event. It is a courtesy: if it fails, it is logged and nothing waits for it."""
        key = (owner["metadata"]["uid"], event.reason, event.message)
        self._forget(now)
        if key in self._posted:
            return
        try:
            await self._cluster.post_event(self._object(owner, event, now))
        except ApiError as error:
            LOG.warning("Event %s was not posted: %s", event.reason, error)
            return
        self._posted[key] = now

    def _forget(self, now: datetime) -> None:
        while self._posted and now - next(iter(self._posted.values())) > REPEAT_AFTER:
            self._posted.popitem(last=False)

    def _object(self, owner: Object, event: Event, now: datetime) -> Object:
        meta = owner["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{uuid.uuid4().hex[:16]}",
                "namespace": meta["namespace"],
            },
            "eventTime": format_micro_time(now),
            "reportingController": f"{GROUP}/operator",
            "reportingInstance": self._instance,
            "action": event.reason,
            "reason": event.reason,
            "type": event.type,
            "note": event.message[:NOTE_LIMIT],
            "regarding": {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
        }
