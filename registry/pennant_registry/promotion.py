"""Moving an alias or a stage: gates, the move itself, and its record.

MLflow has no compare-and-set for either, so a move is read, check, set, read again: of two
pipelines that promote at the same moment, the one that lost is told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pennant_registry import artifacts, moves, versions
from pennant_registry import client as mlflow_client
from pennant_registry.environment import Environment
from pennant_registry.errors import AliasMovedError, GateRefusedError, NothingToRollBackError
from pennant_registry.gates import MetricMin, refusals
from pennant_registry.moves import Move
from pennant_registry.pointers import Pointer, pointer
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def promote(
    version: int | str,
    name: str,
    alias: str | None = None,
    gates: Sequence[MetricMin] = (),
    *,
    stage: str | None = None,
) -> Move:
    """Points the alias at the version once every gate is passed, or makes it the stage's only one.

    Raises VersionMissingError, GateRefusedError (names metric, value and bound) or AliasMovedError.
    A version that holds the alias already keeps it, and the record of how it got it.
    """
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    wanted = versions.get(client, name, int(version))
    _check_gates(client, wanted, gates)
    held = [version.version for version in of.held(client, name)]
    move = moves.promotion_of(wanted, of) if held[:1] == [wanted.version] else None
    if move is None:
        previous = next((version for version in held if version != wanted.version), None)
        move = Move(wanted.version, previous, Environment.read().actor, datetime.now(UTC))
        _record(client, wanted, moves.tags_of(move, of))
    elif len(held) == 1:
        return move
    _move(client, of, wanted, held[0] if held else None)
    return move


def rollback(name: str, alias: str | None = None, *, stage: str | None = None) -> Move:
    """Points the alias back at the version that held it before the one that holds it now.

    With a stage, that version moves into it again and the newer one is archived; where no record
    says which it was, it is the next lower version that is still in the stage.
    Raises NothingToRollBackError without either to go by, VersionMissingError when that version is
    gone.
    """
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    held = of.held(client, name)
    if not held:
        raise NothingToRollBackError(f"{of} of {name} holds no version: promote one first")
    current = held[0]
    target = versions.get(client, name, _before(held, of))
    by, at = Environment.read().actor, datetime.now(UTC)
    move = Move(target.version, current.version, by, at, is_rollback=True)
    _record(client, current, moves.tags_of(move, of))
    _move(client, of, target, current.version)
    return move


def _check_gates(client: MlflowClient, wanted: Version, gates: Sequence[MetricMin]) -> None:
    if not gates:
        return
    metrics: Mapping[str, float] = {}
    if wanted.run_id is not None:
        metrics = artifacts.get_run(client, wanted.run_id).data.metrics
    if said := refusals(gates, metrics):
        raise GateRefusedError(f"version {wanted.version} of {wanted.name}: {'; '.join(said)}")


def _before(held: Sequence[Version], of: Pointer) -> int:
    current = held[0]
    made = moves.promotion_of(current, of)
    if made is not None and made.previous is not None:
        return made.previous
    if len(held) > 1:
        return held[1].version
    raise NothingToRollBackError(
        f"version {current.version} of {current.name} holds {of} and records no version before "
        "it: promote the version that you want by its number"
    )


def _record(client: MlflowClient, on: Version, tags: Mapping[str, str]) -> None:
    """Before the move: dying in between leaves a record too many rather than one too few."""
    with mlflow_client.asking(client):
        for key, value in tags.items():
            client.set_model_version_tag(on.name, str(on.version), key, value)


def _move(client: MlflowClient, of: Pointer, wanted: Version, before: int | None) -> None:
    _expect(client, of, wanted.name, before)
    of.move(client, wanted)
    _expect(client, of, wanted.name, wanted.version)


def _expect(client: MlflowClient, of: Pointer, name: str, expected: int | None) -> None:
    held = of.held(client, name)
    found = held[0].version if held else None
    if found != expected:
        raise AliasMovedError(
            f"somebody else moved {of} of {name} at the same moment: it is at version {found}, and "
            f"was expected at {expected}. Look at both versions and promote again"
        )
