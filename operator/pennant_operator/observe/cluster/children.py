"""The children of one ModelDeployment: from the store, by name from the API server where it counts.

The watch and the lists see what carries our label. Somebody else's object that has a child's name
does not, so every name is read once before the first write of a key, and again after a conflict.
"""

import asyncio
from collections.abc import Iterator

from pennant_operator.decide.goal.ownership import child_names, hand_over_names
from pennant_operator.decide.seen.actions import RolloutAction, parse_actions
from pennant_operator.decide.seen.pod_facts import PodFacts, pod_facts
from pennant_operator.decide.seen.revision import Record, UnreadableRecordError, record_from_object
from pennant_operator.decide.vocabulary import (
    LABEL_DEPLOYMENT,
    LABEL_MANAGED_BY,
    LABEL_SLOT,
    MANAGED_BY,
    SLOTS,
)
from pennant_operator.kube import Api, Object
from pennant_operator.observe.cluster.store import OWNER, Key, Store


class Children:
    """Reads children into the store, and out of it as `plan` wants them."""

    def __init__(self, api: Api, store: Store) -> None:
        self._api = api
        self._store = store
        self._met: dict[Key, str] = {}  # key -> uid of the owner whose names were all read

    def met(self, owner: Object) -> bool:
        """Whether every name was read since this owner exists."""
        return bool(self._met.get(_key(owner)) == owner["metadata"]["uid"])

    async def meet(self, owner: Object) -> None:
        """Read the owner and every child by name; raises ApiError."""
        key = _key(owner)
        children = (self._read(key[0], *child) for child in child_names(owner))
        await asyncio.gather(self.read_owner(owner), *children)
        selector = f"{LABEL_DEPLOYMENT}={key[1]}"
        for record in await self._api.list("ControllerRevision", key[0], selector):
            self._store.put(record)
        self._met[key] = owner["metadata"]["uid"]

    async def read_owner(self, owner: Object) -> None:
        """Read the owner itself; raises ApiError."""
        await self._read(owner["metadata"]["namespace"], OWNER, owner["metadata"]["name"])

    def forget(self, key: Key) -> None:
        """The next write of this key is preceded by a read of every name again."""
        self._met.pop(key, None)

    async def objects(self, owner: Object) -> dict[str, Object]:
        """The children there are, as `Kind/name` -> object."""
        namespace, name = _key(owner)
        uid = owner["metadata"]["uid"]
        children: dict[str, Object] = {}
        for kind, child in hand_over_names(name):  # another strategy may have left them
            obj = self._store.get(kind, namespace, child)
            if obj is not None and controlled(obj, uid):
                children[f"{kind}/{child}"] = obj
        for kind, child in child_names(owner):
            obj = self._store.get(kind, namespace, child)
            if obj is not None and not (_watched(obj) and controlled(obj, uid)):
                # No event need ever tell of a change of what is not this owner's.
                obj = await self._read(namespace, kind, child)
            if obj is not None:
                children[f"{kind}/{child}"] = obj
        return children | await self._not_ours(owner)

    async def _not_ours(self, owner: Object) -> dict[str, Object]:
        """Records that bear our labels and that this owner does not control."""
        records = {}
        for known in self._store.children(_key(owner), "ControllerRevision"):
            if controlled(known, owner["metadata"]["uid"]):
                continue
            meta = known["metadata"]
            obj = await self._read(meta["namespace"], "ControllerRevision", meta["name"])
            if obj is not None:
                records[f"ControllerRevision/{meta['name']}"] = obj
        return records

    def records(self, owner: Object) -> tuple[dict[str, Record], tuple[str, ...]]:
        """What was recorded, by revision, and which records cannot be read, and why."""
        records, unreadable = {}, []
        for record in own_records(self._store, _key(owner), owner["metadata"]["uid"]):
            if isinstance(record, Record):
                records[record.revision] = record
            else:
                unreadable.append(record)
        return records, tuple(unreadable)

    def actions(self, owner: Object) -> tuple[RolloutAction, ...]:
        """The RolloutActions about it, oldest first."""
        return parse_actions(self._store.actions(_key(owner)))

    async def pods(self, owner: Object) -> dict[str, tuple[PodFacts, ...]]:
        """The pods of both slots, those on their way out included; raises ApiError."""
        namespace, name = _key(owner)
        slots: dict[str, list[PodFacts]] = {slot: [] for slot in SLOTS}
        for pod in await self._api.list(
            "Pod", namespace, f"{LABEL_DEPLOYMENT}={name},{LABEL_SLOT}"
        ):
            slot = pod["metadata"]["labels"][LABEL_SLOT]
            if slot in slots:
                slots[slot].append(pod_facts(pod))
        return {slot: tuple(pods) for slot, pods in slots.items()}

    async def _read(self, namespace: str, kind: str, name: str) -> Object | None:
        obj = await self._api.get(kind, namespace, name)
        known = self._store.get(kind, namespace, name)
        if obj is not None:
            self._store.put(obj)
        elif known is not None:
            meta = known["metadata"]
            version = int(meta["resourceVersion"])
            self._store.drop(kind, namespace, name, meta["uid"], version)
        return obj


def own_records(store: Store, key: Key, uid: str) -> Iterator[Record | str]:
    """The ControllerRevisions that this owner controls; which one cannot be read, and why."""
    for obj in store.children(key, "ControllerRevision"):
        if controlled(obj, uid):
            try:
                yield record_from_object(obj)
            except UnreadableRecordError as error:
                yield f"{obj['metadata']['name']}: {error}"


def _key(owner: Object) -> Key:
    return owner["metadata"]["namespace"], owner["metadata"]["name"]


def _watched(obj: Object) -> bool:
    return bool(obj["metadata"].get("labels", {}).get(LABEL_MANAGED_BY) == MANAGED_BY)


def controlled(obj: Object, uid: str) -> bool:
    """Whether an object is this owner's, and not one that is only labelled so."""
    references = obj["metadata"].get("ownerReferences", ())
    return any(r.get("controller") and r["uid"] == uid for r in references)
