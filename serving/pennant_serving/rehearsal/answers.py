"""What an answer consists of, and whether two are of the same shape, or equal. Pure."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import orjson

from pennant_serving.codecs import binary
from pennant_serving.errors import ServingError
from pennant_serving.recent.sample import INFER, INVOCATIONS, Sample

RELATIVE_TOLERANCE = 1e-3
ABSOLUTE_TOLERANCE = 1e-9
"""Of floats that count as equal."""
NUMBER, BOOLEAN, TEXT, MISSING = "numbers", "booleans", "texts", "nulls"
DATATYPE_KINDS = {"BOOL": BOOLEAN, "BYTES": TEXT}
"""All other datatypes of V2 are numbers."""
KINDS = {float: NUMBER, int: NUMBER, bool: BOOLEAN, str: TEXT, type(None): MISSING}
UNREADABLE = (
    ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, ServingError
)  # fmt: skip
MISSING_LIMIT = 65_536
"""Values that rows of different names may lack, all in all: where each row had names of its own,
there would be the square of them."""


@dataclass(frozen=True)
class Answered:
    """One output of an answer."""

    rows: int
    widths: tuple[int, ...] | None
    """Of one row; empty: one value; None: they differ from row to row."""
    kinds: frozenset[str]
    values: Sequence[Any]
    """All of them, one after the other."""


Outputs = Mapping[str, Answered]


def outputs_in(protocol: str, body: bytes, head_bytes: int = -1) -> Outputs | None:
    """The outputs of an answer's body, by name; None where it is no answer of that protocol. Of a
    route of the adapter's own that is any JSON."""
    try:
        if protocol == INFER:
            return _of_v2(body, len(body) if head_bytes < 0 else head_bytes)
        content = _loaded(body)
        return _of_invocation(content if protocol == INVOCATIONS else {"predictions": content})
    except UNREADABLE:
        return None


def _loaded(text: bytes) -> Any:
    """What the codecs write: infinities, too, which are no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


@dataclass
class Shapes:
    """What answers have in common: only what never varied before must be so now."""

    widths: dict[tuple[str, str], set[tuple[int, ...] | None]] = field(
        default_factory=lambda: defaultdict(set)
    )
    kinds: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    names: dict[str, set[str]] = field(default_factory=dict)
    """By route: outputs that each answer had."""

    @classmethod
    def of(cls, answers: Iterable[tuple[Sample, Outputs]]) -> Shapes:
        """Those of answers that were given."""
        shapes = cls()
        for sample, outputs in answers:
            route = sample.route
            shapes.names[route] = shapes.names.get(route, set(outputs)) & set(outputs)
            for name, output in outputs.items():
                shapes.widths[route, name].add(output.widths)
                shapes.kinds[route, name] |= output.kinds
        return shapes

    def difference(self, sample: Sample, before: Outputs, now: Outputs) -> str:
        """What is another shape, in a few words without any value; empty where nothing is."""
        # V2's outputs are named by the model. Of /invocations they may be keys that depend on rows.
        wanted = set(before) if sample.protocol == INFER else self.names[sample.route]
        if missing := wanted - set(now):
            return f"{len(missing)} of {len(wanted)} outputs missing"
        for name in sorted(wanted):
            if difference := self._of_output(sample, name, before[name], now[name]):
                return difference
        return ""

    def _of_output(self, sample: Sample, name: str, before: Answered, now: Answered) -> str:
        key = sample.route, name
        if before.rows == sample.rows != now.rows:
            return f"{now.rows} rows in place of {before.rows}"
        if new := now.kinds - self.kinds[key]:
            usual = " and ".join(sorted(self.kinds[key])) or "nothing"
            return f"{' and '.join(sorted(new))} in place of {usual}"
        fixed = len(self.widths[key]) == 1 and TEXT not in self.kinds[key]
        if fixed and before.widths is not None and now.widths != before.widths:
            return f"rows of {_shape(now.widths)} in place of {_shape(before.widths)}"
        return ""


def are_equal(before: Outputs, now: Outputs) -> bool:
    """Labels equal, numbers nearly so."""
    return before.keys() == now.keys() and all(
        len(output.values) == len(now[name].values)
        and all(map(_is_same, output.values, now[name].values))
        for name, output in before.items()
    )


def _is_same(before: Any, now: Any) -> bool:
    if not (is_number(before) and is_number(now)) or before == now:
        return bool(before == now)
    try:
        if math.isnan(before) or math.isnan(now):
            return math.isnan(before) and math.isnan(now)
        return math.isclose(before, now, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    except OverflowError:  # a whole number beyond all floats
        return False


def _of_v2(body: bytes, head_bytes: int) -> Outputs:
    content, rest = _loaded(body[:head_bytes]), memoryview(body)[head_bytes:]
    outputs: dict[str, Answered] = {}
    for each in content["outputs"]:
        size = each.get("parameters", {}).get("binary_data_size")
        if size is None:
            values = each["data"]
            if not isinstance(values, list):
                raise TypeError
        else:
            read = binary.read(each["name"], each["datatype"], each["shape"], rest[:size])
            values, rest = read.ravel().tolist(), rest[size:]
        rows, *widths = each["shape"]
        kinds = {DATATYPE_KINDS.get(each["datatype"], NUMBER)} if len(values) else set()
        if any(_is_missing(value) for value in values):
            kinds.add(MISSING)
        outputs[each["name"]] = Answered(rows, tuple(widths), frozenset(kinds), values)
    return outputs


def _of_invocation(content: Any) -> Outputs:
    predictions = content["predictions"]
    if isinstance(predictions, dict):
        return {name: _column(value) for name, value in predictions.items()}
    if predictions and isinstance(predictions, list) and _all_of(dict, predictions):
        names = dict.fromkeys(name for row in predictions for name in row)
        if len(names) * len(predictions) - sum(map(len, predictions)) > MISSING_LIMIT:
            raise ValueError
        return {name: _column([row.get(name) for row in predictions]) for name in names}
    return {"predict": _column(predictions)}


def _column(value: Any) -> Answered:
    rows = value if isinstance(value, list) else [value]
    values, widths = _flat(rows)
    types = set(map(type, values))
    if types <= KINDS.keys() and types - {type(None)}:  # the most common, and the longest
        return Answered(len(rows), widths, frozenset(map(KINDS.__getitem__, types)), values)
    values = [*_leaves(rows)]
    kinds = frozenset(map(_kind_of, values))
    shapes = {_widths(row) for row in rows if row is not None}
    return Answered(len(rows), shapes.pop() if len(shapes) == 1 else None, kinds, values)


def _flat(rows: list[Any]) -> tuple[list[Any], tuple[int, ...]]:
    """What lists of equal lengths hold, and those lengths."""
    widths: list[int] = []
    while set(map(type, rows)) == {list} and len(lengths := set(map(len, rows))) == 1:
        widths += lengths
        rows = [*chain.from_iterable(rows)]
    return rows, tuple(widths)


def _widths(row: Any) -> tuple[int, ...] | None:
    """None where parts differ."""
    if not isinstance(row, list):
        return ()
    parts = {_widths(part) for part in row} or {()}
    inner = parts.pop()
    return None if parts or inner is None else (len(row), *inner)


def _leaves(value: Any) -> Iterator[Any]:
    """However deep they are, each is one step away: a generator in a generator is not."""
    open_ = [iter((value,))]
    while open_:
        for each in open_[-1]:
            if isinstance(each, (list, dict)):
                open_.append(iter(each.values() if isinstance(each, dict) else each))
                break
            yield each
        else:
            open_.pop()


def _kind_of(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return BOOLEAN
    return NUMBER if isinstance(value, (int, float)) else TEXT


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_number(value: Any) -> bool:
    """Whether it is one; true and false are none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _all_of(kind: type, values: list[Any]) -> bool:
    return all(isinstance(each, kind) for each in values)


def _shape(widths: tuple[int, ...] | None) -> str:
    if widths is None:
        return "different lengths"
    if not widths:
        return "one value"
    return f"{' by '.join(map(str, widths))} values"
