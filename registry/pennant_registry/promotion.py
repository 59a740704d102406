"""Moving an alias or a stage: gates, the move itself, and its record.

MLflow has no compare-and-set for either, so a move is read, check, set, read again: of two
pipelines that promote at the same moment, the one that lost is told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pennant_registry import client as mlflow_client
from pennant_registry import gates as gating
from pennant_registry import moves, names, records, versions
from pennant_registry.environment import Environment
from pennant_registry.errors import (
    AliasMovedError,
    GateRefusedError,
    NothingToRollBackError,
    RegistryError,
)
from pennant_registry.gates import Gates, MetricMin, refusals
from pennant_registry.moves import Move
from pennant_registry.pointers import Pointer, pointer
from pennant_registry.predecessors import predecessor
from pennant_registry.version_facts import facts_for
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def promote(
    version: int | str,
    name: str,
    alias: str | None = None,
    gates: Gates | Mapping[str, Any] | Sequence[MetricMin] = (),
    *,
    stage: str | None = None,
    override: str | None = None,
) -> Move:
    """Points the alias at the version once every gate is passed, or makes it the stage's only one.

    `gates` are MetricMins, or a mapping as `spec.gates` of a ModelDeployment has it. With an
    `override`, which says why, it moves although they refuse, and that is recorded.
    Raises InvalidGateError, VersionMissingError, GateRefusedError (names each gate, its value and
    its bound) or AliasMovedError; whatever it raises, no record of the move is left where there was
    none. A version that holds the alias already keeps it, and the record of how it got it. One that
    held it before the current one and was not rolled back from gets it back: that is recorded as a
    rollback, and waits for no gate.
    """
    asked = _read(gates)
    if override is not None and not override.strip():
        raise RegistryError("override is empty: say why it may go out against its gates")
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    wanted = versions.get(client, name, int(version))
    holders = of.holders(client, name)
    current = holders[0] if holders else None
    if current is not None and moves.is_return(wanted, current, of):
        return _go_back(client, of, current, wanted)
    overridden = _pass(client, wanted, current, asked, override)
    if current is not None and current.version == wanted.version:
        return _keep(client, of, wanted, holders[1:])
    previous = current.version if current else None
    move = Move(wanted.version, previous, *_signed(), override=overridden)
    with records.recorded(client, wanted, move, of):
        _move(client, of, wanted, move.previous)
    return move


def rollback(name: str, alias: str | None = None, *, stage: str | None = None) -> Move:
    """Points the alias back at the version that held it before the one that holds it now, and never
    at one that was rolled back from and not promoted again.

    With a stage, that version moves into it again and the newer one is archived; where no record
    says which it was, it is the next lower version that is still in the stage.
    Raises NothingToRollBackError without either to go by, VersionMissingError when that version is
    gone.
    """
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    holders = of.holders(client, name)
    if not holders:
        raise NothingToRollBackError(f"{of} of {name} holds no version: promote one first")
    to = predecessor(holders, of, partial(versions.get, client, name))
    return _go_back(client, of, holders[0], to)


def _keep(client: MlflowClient, of: Pointer, wanted: Version, beside: Sequence[Version]) -> Move:
    """It is there already: others leave the stage, and a record is made where there is none."""
    made = moves.promotion_of(wanted, of)
    if made is not None:
        if beside:
            _move(client, of, wanted, wanted.version)
        return made
    move = Move(wanted.version, beside[0].version if beside else None, *_signed())
    with records.recorded(client, wanted, move, of):
        _move(client, of, wanted, wanted.version)
    return move


def _go_back(client: MlflowClient, of: Pointer, current: Version, to: Version) -> Move:
    move = Move(to.version, current.version, *_signed(), is_rollback=True)
    with records.recorded(client, current, move, of):
        _move(client, of, to, current.version)
    return move


def _signed() -> tuple[str, datetime]:
    """Who moves it, and when."""
    return Environment.read().actor, datetime.now(UTC)


def _read(gates: Gates | Mapping[str, Any] | Sequence[MetricMin]) -> Gates:
    if isinstance(gates, Gates):
        return gates
    if isinstance(gates, Mapping):
        return gating.parse(gates)
    return Gates(metrics=tuple(gate.gate() for gate in gates))


def _pass(
    client: MlflowClient,
    wanted: Version,
    current: Version | None,
    gates: Gates,
    override: str | None,
) -> str | None:
    """What to record where gates refuse and somebody says why not. Raises GateRefusedError."""
    if gates == gating.NO_GATES:
        return None
    before = facts_for(client, current, gates) if current and gates.against_serving else None
    facts = facts_for(client, wanted, gates)
    reasons = "; ".join(refusals(gating.evaluate(gates, facts, before, datetime.now(UTC))))
    if not reasons:
        return None
    if override is None:
        raise GateRefusedError(f"version {wanted.version} of {wanted.name}: {reasons}")
    return f"{override.strip()} ({reasons})"[: names.TAG_VALUE_LIMIT]


def _move(client: MlflowClient, of: Pointer, wanted: Version, before: int | None) -> None:
    _expect(client, of, wanted.name, before)
    of.move(client, wanted)
    _expect(client, of, wanted.name, wanted.version)


def _expect(client: MlflowClient, of: Pointer, name: str, expected: int | None) -> None:
    holders = of.holders(client, name)
    actual = holders[0].version if holders else None
    if actual != expected:
        raise AliasMovedError(
            f"somebody else moved {of} of {name} at the same moment: it is at version {actual}, "
            f"and was expected at {expected}. Look at both versions and promote again"
        )
