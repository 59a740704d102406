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
from pennant_registry import hold_tags, moves, names, records, rollouts, versions
from pennant_registry.environment import Environment
from pennant_registry.errors import (
    AliasMovedError,
    GateRefusedError,
    NothingToRollBackError,
    OnHoldError,
    RegistryError,
)
from pennant_registry.gates import Gates, MetricMin, refusals
from pennant_registry.hold_form import Hold
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
    wait: str | None = None,
    where: str | None = None,
) -> Move:
    """Points the alias at the version once every gate is passed, or makes it the stage's only one.

    `gates` are MetricMins, or a mapping as `spec.gates` of a ModelDeployment has it. With an
    `override`, which says why, it moves although they refuse or somebody holds it: that is
    recorded, and a hold lets this version through from then on.
    Raises InvalidGateError, VersionMissingError, OnHoldError (says who, why and until when),
    GateRefusedError (names each gate, its value and its bound) or AliasMovedError; whatever it
    raises, no record of the move is left where there was none. A version that holds the alias
    already keeps it, and the record of how it got it. One that held it before the current one and
    was not rolled back from gets it back: that is recorded as a rollback, and waits for no gate and
    for no hold but one on itself.
    With `wait`, such as "10m", it returns once the version serves at `where`, the place
    `cluster/namespace/name` of a ModelDeployment, which may be left out while there is one only; as
    the operator writes it into the version's tags (`spec.writeBack`). Else it raises RolloutError:
    RolloutHeldError, RolloutRejectedError, RolloutSupersededError or RolloutTimeoutError.
    """
    asked, limit = _read(gates), rollouts.awaited(wait, where)
    if override is not None and not override.strip():
        raise RegistryError("override is empty: say why it may go out all the same")
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    wanted = versions.get(client, name, int(version))
    holders = of.holders(client, name)
    holds, now = hold_tags.holds_on(client, name, of), datetime.now(UTC)
    on = holds.on(str(wanted.version), now)
    if on is not None and override is None and not _begins_nothing(on, wanted, holders, of):
        raise OnHoldError(
            f"version {wanted.version} of {name} is not promoted to {of}: "
            f"{'it' if on.version else of} is {on}; release it first, or promote with an override "
            "that says why"
        )
    through = holds.every_on(str(wanted.version), now) if override is not None else ()
    with hold_tags.let_through(client, wanted, of, through):
        move = _promoted(client, of, wanted, holders, asked, override, through)
    if limit is not None:
        moved = not holders or holders[0].version != wanted.version
        rollouts.wait_until_served(client, wanted, of, limit, moved=moved)
    return move


def rollback(
    name: str,
    alias: str | None = None,
    *,
    stage: str | None = None,
    reason: str = "rolled back",
    wait: str | None = None,
    where: str | None = None,
) -> Move:
    """Points the alias back at the version that held it before the one that holds it now, and never
    at one that was rolled back from and not promoted again, that somebody holds by itself, or that
    was rejected where it was tried, by its tags.

    The version that it leaves is on hold from then on, for this reason: nobody promotes it until
    somebody calls `release` with that version, or overrides it; other versions go out as before.
    With a stage, that version moves into it again and the newer one is archived; where no record
    says which it was, it is the next lower version that is still in the stage.
    `wait` and `where` are as for `promote`.
    Raises NothingToRollBackError without either to go by, VersionMissingError when that version is
    gone.
    """
    limit = rollouts.awaited(wait, where)
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    holders = of.holders(client, name)
    if not holders:
        raise NothingToRollBackError(f"{of} of {name} holds no version: promote one first")
    on, now = hold_tags.holds_on(client, name, of).by_version, datetime.now(UTC)
    avoided = {int(version) for version, hold in on.items() if hold.in_force(now)}
    to = predecessor(holders, of, partial(versions.get, client, name), avoided)
    with hold_tags.put_on_hold(client, holders[0], of, reason):
        move = _go_back(client, of, holders[0], to)
    if limit is not None:
        rollouts.wait_until_served(client, to, of, limit, moved=True)
    return move


def _begins_nothing(on: Hold, wanted: Version, holders: Sequence[Version], of: Pointer) -> bool:
    """A hold on the alias holds what would begin: neither what is there already nor going back."""
    if on.version is not None or not holders:
        return False
    return holders[0].version == wanted.version or moves.is_return(wanted, holders[0], of)


def _promoted(
    client: MlflowClient,
    of: Pointer,
    wanted: Version,
    holders: Sequence[Version],
    asked: Gates,
    override: str | None,
    through: Sequence[Hold],
) -> Move:
    current = holders[0] if holders else None
    if current is not None and moves.is_return(wanted, current, of):
        return _go_back(client, of, current, wanted)
    overridden = _pass(client, wanted, current, asked, override, through)
    if current is not None and current.version == wanted.version:
        return _keep(client, of, wanted, holders[1:])
    previous = current.version if current else None
    move = Move(wanted.version, previous, *_signed(), override=overridden)
    with records.recorded(client, wanted, move, of):
        _move(client, of, wanted, move.previous)
    return move


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
    through: Sequence[Hold],
) -> str | None:
    """What to record where a hold or gates refuse and somebody says why not.

    Raises GateRefusedError.
    """
    reasons = _refusals(client, wanted, current, gates)
    if override is None:
        if reasons:
            raise GateRefusedError(f"version {wanted.version} of {wanted.name}: {reasons}")
        return None
    against = "; ".join(each for each in (*map(str, through), reasons) if each)
    return f"{override.strip()} ({against})"[: names.TAG_VALUE_LIMIT] if against else None


def _refusals(client: MlflowClient, wanted: Version, current: Version | None, gates: Gates) -> str:
    """What gates say against it; empty where they let it through."""
    if gates == gating.NO_GATES:
        return ""
    before = facts_for(client, current, gates) if current and gates.against_serving else None
    facts = facts_for(client, wanted, gates)
    return "; ".join(refusals(gating.evaluate(gates, facts, before, datetime.now(UTC))))


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
