"""Writes what RolloutActions are told of themselves, and deletes finished ones."""

from collections.abc import Iterable

from pennant_operator.act.carry_out import ObjectStore
from pennant_operator.act.cluster import Cluster
from pennant_operator.decide.intent import ActionReport, ActionStatus, Delete
from pennant_operator.decide.seen.actions import KIND
from pennant_operator.kube import ApiError

GONE_OR_CHANGED = (404, 409)


async def report(
    reports: Iterable[ActionReport], namespace: str, cluster: Cluster, store: ObjectStore
) -> None:
    """One after another; what is gone by now is forgotten, anything else raises ApiError."""
    for each in reports:
        try:
            if isinstance(each, ActionStatus):
                written = await cluster.apply_status(each.action, each.status)
                if written is not None:
                    store.put(written)
            elif await cluster.delete(each, namespace) is None:
                _forget(each, namespace, store)
        except ApiError as error:
            if error.status not in GONE_OR_CHANGED:
                raise
            _forget(each, namespace, store)  # where it is only another one now, the watch says so


def _forget(each: ActionReport, namespace: str, store: ObjectStore) -> None:
    if isinstance(each, ActionStatus):
        meta = each.action["metadata"]
        each = Delete(KIND, meta["name"], meta["uid"], meta["resourceVersion"])
    store.drop(KIND, namespace, each.name, each.uid, int(each.resource_version))
