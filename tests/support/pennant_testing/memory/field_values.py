"""Values to try for every field of a definition: zero, empty and odd ones, read off its schema.

A field that is added to the schema is tried without being named here. What a schema leaves open
(a toleration, an affinity) has its values in OPEN, by field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import yaml

from pennant_testing.folders import REPOSITORY

CRDS = REPOSITORY / "manifests" / "crd"
STRINGS = ("", "a")
SHAPED = (
    *STRINGS,
    "0s",
    "1s",
    "0",
    "0.5",
    "2",
    "m:C",
    "3.12",
    "http://a.example:1",
)  # one of them may do
QUANTITIES = (0, 1, 0.5, "0", ".5", "1.5", "1000m", "1.5e3", "1E3", "1Gi", "0.1Ki", "100000u")
OPEN: dict[str, tuple[Any, ...]] = {
    "valueFrom": (
        {"fieldRef": {"fieldPath": "metadata.name"}},
        {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}},
        {"configMapKeyRef": {"name": "a", "key": "k", "optional": False}},
        {"secretKeyRef": {"name": "", "key": "k"}},
    ),
    "envFrom": (
        {"prefix": "", "configMapRef": {"name": "a", "optional": False}},
        {"secretRef": {"name": ""}},
    ),
    "closed": ({"cron": "0 18 * * 5", "for": "62h"},),
    "tolerations": (
        {"key": "k", "operator": "Exists", "effect": ""},
        {"key": "", "operator": "Exists", "value": ""},
        {"key": "k", "value": "", "effect": "NoExecute", "tolerationSeconds": 0},
        {"key": "k", "operator": "Exists", "effect": None},
    ),
    "affinity": (
        {"nodeAffinity": {}},
        {"nodeAffinity": None},
        {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "namespaces": [], "labelSelector": {"matchLabels": {"a": ""}}},
        ]}},
    ),
    "topologySpreadConstraints": (
        {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"},
        {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
         "labelSelector": {}, "nodeTaintsPolicy": "Honor", "matchLabelKeys": []},
    ),
}  # fmt: skip
# As in a pod: one thing to whoever writes it, whatever is in it.
WHOLE = ("readiness", "liveness", "startup", "resources")
Schema = dict[str, Any]
FieldPath = tuple[str, ...]


def schema(definition: str, *path: str) -> Schema:
    """What a definition says of one field of `spec`."""
    part = _schema(definition)
    for name in ("spec", *path):
        part = part["properties"][name]
    return part


@cache
def _schema(definition: str) -> Schema:
    crd = yaml.safe_load((CRDS / f"{definition}.yaml").read_text())
    whole: Schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return whole


def leaves(whole: Schema, *path: str) -> Iterator[FieldPath]:
    """The fields that a person writes below this one, each by its path."""
    parts = whole.get("properties")
    if not parts or (path and path[-1] in WHOLE):
        yield path
        return
    for name, below in parts.items():
        yield from leaves(below, *path, name)


def put(base: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of what is written, with another value in one place."""
    name, *below = path
    return {**base, name: put(base.get(name, {}), below, value) if below else value}


def variants(whole: Schema, name: str = "") -> Iterator[Any]:
    """Values of a field; of an object with properties one for each value of each property."""
    kind = whole.get("type")
    if name in OPEN and kind == "object" and "properties" in whole:
        yield from OPEN[name]
    elif kind == "object" and "properties" in whole:
        needed = _needed(whole)
        yield needed
        for fields, below in _twins(whole["properties"]):
            values = variants(below, fields[0])
            yield from (needed | dict.fromkeys(fields, value) for value in values)
    elif kind == "object" and "additionalProperties" in whole:
        yield {}
        yield from ({"a": value} for value in variants(whole["additionalProperties"]))
        yield from ({"cpu": value} for value in variants(whole["additionalProperties"]))
    elif kind == "array":
        yield []
        yield from ([value] for value in variants(whole["items"], name))
    else:
        yield from _plain(whole, name)


def _twins(properties: dict[str, Schema]) -> Iterator[tuple[list[str], Schema]]:
    """Each property; objects of one shape, such as three probes, together: none minds the others.

    It halves how many values there are, and each field has all of its own.
    """
    by_shape: dict[str, list[str]] = {}
    for name, below in properties.items():
        apart = "" if below.keys() & {"properties", "additionalProperties"} else name
        by_shape.setdefault(apart + json.dumps(_shape(below), sort_keys=True), []).append(name)
    yield from ((names, properties[names[0]]) for names in by_shape.values())


def _shape(whole: Any) -> Any:
    """A schema without what is said of it."""
    if isinstance(whole, list):
        return [_shape(each) for each in whole]
    if not isinstance(whole, dict):
        return whole
    return {n: _shape(v) for n, v in whole.items() if n != "description" or isinstance(v, dict)}


def _plain(whole: Schema, name: str) -> Iterator[Any]:
    kind = whole.get("type")
    if "enum" in whole:
        yield from whole["enum"]
    elif kind == "string":
        yield from SHAPED if "x-kubernetes-validations" in whole else STRINGS
    elif kind == "boolean":
        yield from (False, True)
    elif kind == "integer":
        yield from sorted({0, 1, whole.get("minimum", 0), min(whole.get("maximum", 9), 9000)})
    elif name in OPEN or kind == "object":
        yield from ({}, *OPEN.get(name, ()))
    else:
        yield from QUANTITIES


def _needed(whole: Schema) -> dict[str, Any]:
    """The least of an object: what is required of it."""
    return {
        name: next(iter(_some(whole["properties"][name]))) for name in whole.get("required", ())
    }


def _some(whole: Schema) -> Iterator[Any]:
    values = [value for value in variants(whole) if value not in ("", [], {}, 0)]
    yield "a" if "a" in values else values[0]
