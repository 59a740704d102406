"""A log of decisions, as an operator prints it, and commands about one."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from pennant_cli.app import app
from pennant_registry.gates import VersionFacts
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.recorded_decisions import printed
from pennant_testing.memory.simulated_cluster import alias_moved


@functools.cache
def output(*, full: bool = True) -> tuple[str, ...]:
    """Ann moves the alias to 8, whose gate lets it through, at 12:05:10; it serves a second on."""
    sim = alias_moved()
    names = {"by": "ann@laptop", "at": "2026-11-21T12:04:00Z", "as": "news/8@production"}
    moves = {f"pennant.promoted-{name}.production": text for name, text in names.items()}
    sim.desired = replace(version(8), moves=moves)
    sim.specify(gates={"metrics": [{"name": "auc", "min": "0.5"}]})
    sim.facts = {"8": VersionFacts("8", {"auc": 0.7})}
    return tuple(line.strip() for line in printed(lambda: sim.run(6), full=full))


def run(tmp_path: Path, lines: list[str], *arguments: str) -> Result:
    """A command about a log of these lines."""
    log = tmp_path / "operator.log"
    log.write_text("\n".join(lines) + "\n")
    return CliRunner().invoke(app, [arguments[0], str(log), *arguments[1:]])


def edited(number: int, **fields: Any) -> str:
    return json.dumps(json.loads(output()[number]) | fields)
