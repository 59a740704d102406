"""What a model takes, as errors tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pennant_serving.bundle.mlmodel import NUMERIC, MLmodel

NAMES_IN_A_SENTENCE = 20
"""Names in a sentence; of more it says how many."""


@dataclass(frozen=True)
class Takes:
    """What a model takes: named inputs, or as many as there are, or rows of a width."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Of each input, as its signature says it; empty without one."""
    required: frozenset[str] = frozenset()
    width: int | None = None
    """Values of a row that has no names; None where any will do, or each input is a tensor."""
    row: tuple[int, ...] | None = None
    """The shape of a row of the only tensor, -1 where any length will do."""
    are_tensors: bool = False
    are_numbers: bool = False
    """All of them, by the signature."""

    @classmethod
    def of(cls, mlmodel: MLmodel, names: Iterable[str] = (), *, width: int | None = None) -> Takes:
        """By the signature, and without one by what the model itself knows."""
        if mlmodel.columns:
            required = (each.name for each in mlmodel.columns if each.required and each.name)
            kinds = tuple(
                each.type if each.required else f"{each.type}, optional" for each in mlmodel.columns
            )
            are_numbers = all(each.type in NUMERIC for each in mlmodel.columns)
            known, count = frozenset(required), len(mlmodel.columns)
            return cls(mlmodel.names, kinds, known, count, are_numbers=are_numbers)
        if mlmodel.tensors:
            named = tuple(str(each["name"]) for each in mlmodel.tensors if each.get("name"))
            specs = [each["tensor-spec"] for each in mlmodel.tensors]
            kinds = tuple(f"{each['dtype']}, shape {list(each['shape'])}" for each in specs)
            numbers = mlmodel.takes_numbers
            row = tuple(specs[0]["shape"][1:]) if len(specs) == 1 else None
            known = frozenset(named)
            return cls(named, kinds, known, row=row, are_tensors=True, are_numbers=numbers)
        known_names = tuple(names)
        return cls(known_names, (), frozenset(known_names), len(known_names) or width)

    def __str__(self) -> str:
        if self.names:
            kinds = (f" ({kind})" for kind in self.kinds)
            described = [f"{name}{next(kinds, '')}" for name in self.names]
            return f"the model takes {listed(described)}"
        if self.are_tensors:
            return f"the model takes one tensor, which has no name ({'; '.join(self.kinds)})"
        kinds_ = f" ({listed(self.kinds)})" if self.kinds else ""
        return f"the model takes rows of {self.width} values{kinds_}: its columns have no names"


def listed(names: Sequence[str]) -> str:
    """Names as part of a sentence."""
    more = len(names) - NAMES_IN_A_SENTENCE
    return ", ".join(names[:NAMES_IN_A_SENTENCE]) + (f" and {more} more" if more > 0 else "")
