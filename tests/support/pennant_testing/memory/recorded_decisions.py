"""What an operator prints of its decisions, over clusters in memory."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.plan import plan
from pennant_operator.decide.record.line import Decision
from pennant_operator.decide.seen.observed import Absent, Observed, Turn, Unknown
from pennant_operator.run.decisions import Decisions
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import holds_among
from pennant_testing.memory import fallible_operator, simulated_cluster
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import (
    crashed,
    fails,
    fetches_other_bytes,
    first_fails,
    stays_pending,
)

PROCESS = "0123456789abcdef"
ON_HOLD = holds_among({"pennant.hold.production": '{"by": "ann", "reason": "no"}'}, "production")


@contextlib.contextmanager
def watched(look: Callable[[Observed, datetime, Plan], None]) -> Iterator[None]:
    """Every decision that a cluster in memory is told is looked at as well."""

    def deciding(observed: Observed, now: datetime) -> Plan:
        decided = plan(observed, now)
        look(observed, now, decided)
        return decided

    with (
        mock.patch.object(simulated_cluster, "plan", deciding),
        mock.patch.object(fallible_operator, "plan", deciding),
    ):
        yield


def printed(run: Callable[[], object], *, full: bool = True) -> list[str]:
    """The lines that an operator prints while this runs."""
    lines: list[bytes] = []
    seen: list[Decision] = []

    def look(observed: Observed, now: datetime, decided: Plan) -> None:
        seen.append(Decision(observed, now, decided, decided, "done"))

    with watched(look):
        run()
    decisions = Decisions(lines.append, PROCESS, full=full)
    for each in seen:
        if decisions.wants(each):
            decisions.print(each)
    return [line.decode() for line in lines]


def inputs(lines: list[str]) -> list[dict[str, Any]]:
    """The lines that decisions can be made from anew."""
    values = [json.loads(line) for line in lines]
    return [value for value in values if value["event"] == "decision-input"]


def stories() -> None:
    """A little of nearly everything that can come of an alias that moves."""
    for story in (
        *(_rolls_and_fails, _fails_to_load, _crashes_in_its_bake, _answers_badly, _finds_no_room),
        *(_is_on_hold, _waits_for_people, _is_braked, _waits_in_line, _loses_its_alias),
        *(_is_gated, _has_other_bytes, _rehearses),
    ):
        story()


def _rolls_and_fails() -> None:
    sim = alias_moved()
    sim.run(8)
    sim.now += timedelta(minutes=5)
    sim.run(4)
    sim.specify(replicas=3)
    sim.run(4)
    sim.desired, sim.behaviour["9"] = version(9), first_fails
    sim.run(8)


def _fails_to_load() -> None:
    alias_moved(pods=fails("LoadFailed")).run(8)


def _crashes_in_its_bake() -> None:
    sim = alias_moved()
    sim.run(6)
    sim.behaviour["8"] = crashed(sim.now)
    sim.run(8)


def _answers_badly() -> None:
    sim = serving(7)
    sim.answers = {"7": answered(100), "8": answered(60, errors=40)}
    sim.desired = version(8)
    sim.run(12)


def _finds_no_room() -> None:
    sim = alias_moved(pods=stays_pending)
    sim.run(4)
    sim.now += timedelta(hours=1)
    sim.run(4)


def _is_on_hold() -> None:
    sim = alias_moved()
    sim.holds = ON_HOLD
    sim.run(3)


def _waits_for_people() -> None:
    sim = serving(7)
    sim.act("Hold", reason="quiet")
    sim.desired = version(8)
    sim.run(3)
    sim.act("Pin", version="8", actor="jane@example.com")
    sim.run(6)


def _is_braked() -> None:
    sim = alias_moved()
    sim.registry = replace(REGISTRY, braked=True)
    sim.run(3)


def _waits_in_line() -> None:
    sim = alias_moved()
    sim.turn = Turn(others=20, ahead=11)
    sim.run(3)


def _loses_its_alias() -> None:
    sim = serving(7, onAliasRemoved="ScaleDown")
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    sim.run(3)
    sim.desired = Absent("AliasNotSet", "the alias is not set")
    sim.run(4)


def _is_gated() -> None:
    sim = alias_moved()
    sim.specify(gates={"metrics": [{"name": "auc", "min": "0.5"}]})
    sim.facts = {"8": VersionFacts("8", {"auc": 0.4})}
    sim.run(3)
    sim.facts = {"8": VersionFacts("8", {"auc": 0.7})}
    sim.run(6)


def _has_other_bytes() -> None:
    sim = Simulation(version(7, tag=False), owner=model_deployment())
    sim.behaviour["7"] = fetches_other_bytes
    sim.run(6)


def _rehearses() -> None:
    sim = Simulation(version(7), owner=model_deployment(rollout={"bake": "2m", "rehearsal": {}}))
    sim.run(3)
