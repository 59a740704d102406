"""What a bundle's MLmodel file says: flavors, signature, input example.

Read directly, because importing MLflow to read it costs more than loading most models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

NUMERIC = frozenset({"boolean", "integer", "long", "float", "double"})


@dataclass(frozen=True)
class Column:
    """One input of a column-based signature."""

    name: str | None
    """A number as its digits: those who call cannot always tell them apart."""
    type: str
    required: bool


@dataclass(frozen=True)
class MLmodel:
    """The parts of an MLmodel file that serving goes by."""

    folder: Path
    flavors: dict[str, Any]
    columns: tuple[Column, ...]
    """Empty without a signature, and with one of tensors."""
    tensors: tuple[dict[str, Any], ...]
    outputs: tuple[dict[str, Any], ...]
    params: tuple[dict[str, Any], ...]
    """What a request may give beside the rows: name, type, default, shape."""
    example: Path | None
    """The input example as a body for /invocations."""
    from_type_hint: bool
    """The model is a Python function whose type hint takes a list of rows."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The input columns' names; empty when they have none."""
        return tuple(column.name for column in self.columns if column.name is not None)

    @cached_property
    def is_numeric(self) -> bool:
        """The signature has columns, and all are numbers."""
        return bool(self.columns) and all(column.type in NUMERIC for column in self.columns)

    @cached_property
    def takes_numbers(self) -> bool:
        """All inputs are numbers, as far as the signature knows."""
        if self.columns:
            return self.is_numeric
        dtypes = [str(each["tensor-spec"]["dtype"]) for each in self.tensors]
        return all(np.dtype(each).kind in "biuf" for each in dtypes)

    @property
    def inputs(self) -> tuple[dict[str, Any], ...]:
        """The signature's inputs as MLflow writes them."""
        columns = tuple({"name": each.name, "type": each.type} for each in self.columns)
        return columns or self.tensors


def read_mlmodel(bundle: Path) -> MLmodel | None:
    """None when the folder has no MLmodel file. Raises ValueError when that is damaged."""
    path = bundle / "MLmodel"
    if not path.is_file():
        return None
    content = _yaml(path)
    signature = content.get("signature") or {}
    inputs = json.loads(signature.get("inputs") or "[]")
    return MLmodel(
        folder=bundle,
        flavors=content.get("flavors") or {},
        columns=tuple(_column(each) for each in inputs if each["type"] != "tensor"),
        tensors=tuple(each for each in inputs if each["type"] == "tensor"),
        outputs=tuple(json.loads(signature.get("outputs") or "[]")),
        params=tuple(json.loads(signature.get("params") or "[]")),
        example=_example(bundle, content.get("saved_input_example_info") or {}),
        from_type_hint=bool(content.get("is_signature_from_type_hint")),
    )


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    # The C loader is eight times faster, and missing from some builds of the library.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both loaders are safe
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no YAML mapping")  # noqa: TRY004 - damaged, not mistyped
    return content


def _column(entry: dict[str, Any]) -> Column:
    name = entry.get("name")
    named = None if name is None else str(name)
    return Column(named, str(entry["type"]), bool(entry.get("required", True)))


def _example(bundle: Path, info: dict[str, Any]) -> Path | None:
    """MLflow writes the serving form since 2.13; older bundles go without a self-test."""
    name = info.get("serving_input_path")
    return bundle / name if name and (bundle / name).is_file() else None
