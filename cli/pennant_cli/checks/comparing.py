"""`pennant diff`: two versions of a model side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pennant_cli.checks.version_sheet import Sheet, sheet
from pennant_cli.output import Format, show, table
from pennant_cli.version_names import VersionName
from pennant_registry import client as mlflow_client
from pennant_registry import versions
from pennant_registry.hold_form import one_line

LINE = 120  # characters of a value in a cell
NONE = "-"
_HASH = re.compile(r"[0-9a-f]{32,64}")

Row = tuple[str, str, str | None, str | None]
"""Section, name, and the value of either version; None: it has none."""


def compare(first: VersionName, second: VersionName) -> list[Row]:
    """All that is known of either, equal values included. Raises RegistryError."""
    client = mlflow_client.connect()
    one, other = (versions.get(client, each.model, each.version) for each in (first, second))
    return [*rows(sheet(client, one), sheet(client, other))]


def rows(one: Sheet, other: Sheet) -> Iterator[Row]:
    """Sections in their order, names in that of the alphabet."""
    for section, known in one.items():
        for name in sorted(known.keys() | other[section].keys()):
            yield section, name, known.get(name), other[section].get(name)


def show_comparison(
    compared: list[Row], first: VersionName, second: VersionName, form: Format, *, whole: bool
) -> None:
    """What differs, or the whole of it."""
    shown = [row for row in compared if whole or row[2] != row[3]]
    facts: dict[str, Any] = {"from": str(first), "to": str(second)}
    for section in dict.fromkeys(row[0] for row in compared):
        facts[section] = {name: [a, b] for each, name, a, b in shown if each == section}
    cells = [
        (
            section if at == 0 or shown[at - 1][0] != section else "",
            one_line(name, LINE),
            _cell(a),
            _cell(b),
        )
        for at, (section, name, a, b) in enumerate(shown)
    ]
    drawn = table(("", "", str(first), str(second)), cells)
    same = f"{first} and {second} do not differ in anything that is known of them"
    show(facts, form, drawn if shown else same)


def _cell(value: str | None) -> str:
    if value is None:
        return NONE
    return value[:12] if _HASH.fullmatch(value) else one_line(value, LINE)
