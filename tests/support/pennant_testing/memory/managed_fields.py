"""managedFields as an API server keeps them, for those that are pretended.

It knows of the schema what tells items of our children's lists apart; an integration test
(test_operator_fields.py) holds it against a real API server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

KEYS = {
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "protocol"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
SERVICE_PORTS = ("port", "protocol")
WHOLE = {"selector", "labelSelector", "nodeSelector", "configMapKeyRef", "secretRef"}
WHOLE_ITEMS = {"ownerReferences", "imagePullSecrets"}
UNMANAGED = {"apiVersion", "kind", "metadata.name", "metadata.namespace"}

Tree = dict[str, Any]


def of_applied(manifest: Tree) -> Tree:
    """The fields of whoever applied this."""
    return _tree(manifest)


def still_owned(ours: Tree, applied: Any, live: Any) -> Tree:
    """The fields that are still theirs though others may have changed the object since."""
    owned = {}
    for key, under in ours.items():
        if key == ".":
            owned[key] = under
            continue
        old, new = _below(applied, key), _below(live, key)
        if under:
            if (rest := still_owned(under, old, new)) and new is not None:
                owned[key] = rest
        elif old == new:
            owned[key] = under
    return owned


def entries(ours: Tree, time: str, *, others: bool) -> list[dict[str, Any]]:
    """managedFields of an object of the operator's; `others` changed it, too."""
    of_others = [_entry("kubectl-edit", "Update", time, {"f:metadata": {}, "f:spec": {}})]
    return [_entry("pennant", "Apply", time, ours), *(of_others if others else [])]


def _entry(manager: str, operation: str, time: str, fields: Tree) -> dict[str, Any]:
    entry = {"manager": manager, "operation": operation, "time": time}
    return {**entry, "fieldsType": "FieldsV1", "fieldsV1": fields}


def _tree(value: Any, name: str = "", path: str = "") -> Tree:
    if name in WHOLE or not isinstance(value, dict | list):
        return {}
    if isinstance(value, list):
        keys = SERVICE_PORTS if value and "port" in value[0] else KEYS.get(name)
        return dict(_items(value, keys, whole=name in WHOLE_ITEMS)) if keys else {}
    return {
        f"f:{key}": _tree(below, key, f"{path}{key}.")
        for key, below in value.items()
        if f"{path}{key}" not in UNMANAGED
    }


def _items(
    items: list[dict[str, Any]], keys: tuple[str, ...], *, whole: bool
) -> Iterator[tuple[str, Tree]]:
    for item in items:
        key = json.dumps({name: item[name] for name in keys}, separators=(",", ":"))
        yield f"k:{key}", {} if whole else {".": {}, **_tree(item)}


def _below(value: Any, key: str) -> Any:
    kind, _, text = key.partition(":")
    if kind == "f":
        return value.get(text) if isinstance(value, dict) else None
    meant = json.loads(text).items()
    return next((i for i in value or () if meant <= i.items()), None)
