"""What is known of the cluster: ModelDeployments and their children, packed small.

Written by the watch, by lists, and by the answers to our own writes, in whatever order these
arrive: the newest resourceVersion wins, and what was deleted stays deleted. An object is kept as
compressed JSON, a tenth of what it costs as Python objects, and unpacked when its key is worked on.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pennant_operator.decide.seen.actions import KIND as ACTION
from pennant_operator.decide.seen.actions import parse_actions
from pennant_operator.decide.seen.spec import Watch, watch_of, watches_of
from pennant_operator.decide.vocabulary import LABEL_DEPLOYMENT
from pennant_operator.kube import Object
from pennant_operator.observe.cluster.rollouts import Rollouts

# Namespace and name of a ModelDeployment; of a ModelRegistry that RolloutActions are about, as
# `registry_key` says.
Key: TypeAlias = tuple[str, str]
OWNER = "ModelDeployment"
APPLIED = ("Service", "Deployment", "ConfigMap", "PodDisruptionBudget")
OF_REGISTRY = "modelregistry/"  # before a ModelRegistry's name: no ModelDeployment has a / in its
TOMBSTONES_LIMIT = 10_000  # deleted objects remembered, whose late events are dropped


@dataclass(frozen=True, slots=True)
class _Entry:
    uid: str
    version: int
    owner: Key | None
    packed: bytes


class Store:
    """Objects by kind, namespace and name; ModelDeployments also by what they watch."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], _Entry] = {}
        self._of_owner: dict[Key, set[tuple[str, str]]] = {}
        self._watches: dict[Key, frozenset[Watch]] = {}
        self._watching: dict[Watch, set[Key]] = {}
        self._gone: OrderedDict[str, int] = OrderedDict()
        self.rollouts = Rollouts()

    def put(self, obj: Object) -> Key | None:
        """Take an object in; the key to look at again, None if it is not news."""
        meta = obj["metadata"]
        at = (obj["kind"], meta["namespace"], meta["name"])
        version, known = int(meta["resourceVersion"]), self._entries.get(at)
        if version <= max(known.version if known else 0, self._gone.get(meta["uid"], 0)):
            return None
        owner = owner_key(obj)
        self._entries[at] = _Entry(meta["uid"], version, owner, _pack(obj))
        if obj["kind"] != OWNER and owner is not None:
            self._of_owner.setdefault(owner, set()).add((at[0], at[2]))
        if obj["kind"] in {OWNER, ACTION} and owner is not None:
            self._watch(owner)
        if obj["kind"] == OWNER:
            watch = watch_of(obj)
            self.rollouts.saw(at[1:], watch.registry if watch else None, obj)
        return owner

    def drop(self, kind: str, namespace: str, name: str, uid: str, version: int) -> Key | None:
        """Forget an object that was gone, or no longer ours to see, at this resourceVersion.

        The key to look at again; None if it was not known, or has been seen alive since.
        """
        self._gone[uid] = version  # a late answer or event must not bring it back
        if len(self._gone) > TOMBSTONES_LIMIT:
            self._gone.popitem(last=False)
        at = (kind, namespace, name)
        entry = self._entries.get(at)
        if entry is None or entry.uid != uid or entry.version > version:
            return None
        del self._entries[at]
        if kind != OWNER and entry.owner is not None:
            names = self._of_owner[entry.owner]
            names.discard((kind, name))
            if not names:
                del self._of_owner[entry.owner]
        if kind in {OWNER, ACTION} and entry.owner is not None:
            self._watch(entry.owner)
        if kind == OWNER:
            self.rollouts.gone((namespace, name))
        return entry.owner

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """A fresh copy of an object; of a child's managedFields those that drift is told by."""
        entry = self._entries.get((kind, namespace, name))
        return _unpack(entry.packed) if entry else None

    def owner(self, key: Key) -> Object | None:
        """The ModelDeployment."""
        return self.get(OWNER, *key)

    def children(self, key: Key, kind: str) -> list[Object]:
        """Every object of a kind that is labelled as this ModelDeployment's."""
        names = sorted(name for k, name in self._of_owner.get(key, ()) if k == kind)
        objects = (self.get(kind, key[0], name) for name in names)
        return [obj for obj in objects if obj is not None]

    def actions(self, key: Key) -> list[Object]:
        """Every RolloutAction about a ModelDeployment, or (`registry_key`) a ModelRegistry."""
        return self.children(key, ACTION)

    def owners(self) -> list[Key]:
        """Every ModelDeployment."""
        return [(namespace, name) for kind, namespace, name in self._entries if kind == OWNER]

    def watches(self) -> set[Watch]:
        """Everything that any ModelDeployment wants to know of any registry."""
        return set(self._watching)

    def watching(self, watch: Watch) -> frozenset[Key]:
        """The ModelDeployments that want to know this."""
        return frozenset(self._watching.get(watch, ()))

    def uids(self, kind: str, upto: int) -> Iterator[tuple[str, str, str]]:
        """Namespace, name and uid of what is known of a kind at this resourceVersion or before."""
        for (k, namespace, name), entry in list(self._entries.items()):
            if k == kind and entry.version <= upto:
                yield namespace, name, entry.uid

    def _watch(self, key: Key) -> None:
        """What the spec follows, and what is pinned meanwhile: the one is asked on, for later."""
        owner, before = self.owner(key), self._watches.pop(key, frozenset())
        now = watches_of(owner, parse_actions(self.actions(key))) if owner else frozenset()
        for watch in before - now:
            self._watching[watch].discard(key)
            if not self._watching[watch]:
                del self._watching[watch]
        for watch in now:
            self._watching.setdefault(watch, set()).add(key)
        if now:
            self._watches[key] = now


def registry_key(namespace: str, name: str) -> Key:
    """By which the RolloutActions about a ModelRegistry are known and queued."""
    return namespace, f"{OF_REGISTRY}{name}"


def owner_key(obj: Object) -> Key | None:
    """The ModelDeployment that an object is, is labelled as a child of, or is about."""
    meta = obj["metadata"]
    if obj["kind"] == OWNER:
        return meta["namespace"], meta["name"]
    if obj["kind"] == ACTION:
        spec = obj.get("spec") or {}
        if spec.get("registry"):
            return registry_key(meta["namespace"], spec["registry"])
        return (meta["namespace"], spec["deployment"]) if spec.get("deployment") else None
    name = meta.get("labels", {}).get(LABEL_DEPLOYMENT)
    return (meta["namespace"], name) if name else None


def _pack(obj: Object) -> bytes:
    meta = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    entries = obj["metadata"].get("managedFields")
    if entries and obj["kind"] in APPLIED:  # of a status nothing is ours
        meta["managedFields"] = [e for e in entries if e.get("subresource") != "status"]
    text = json.dumps(obj | {"metadata": meta}, separators=(",", ":"))
    return zlib.compress(text.encode(), level=1)


def _unpack(packed: bytes) -> Object:
    obj: Object = json.loads(zlib.decompress(packed))
    return obj
