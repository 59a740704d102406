"""Moving an alias: gates, the move itself, and its record.

MLflow has no compare-and-set for an alias, so a move is read, check, set, read again: of two
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
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def promote(version: int | str, name: str, alias: str, gates: Sequence[MetricMin] = ()) -> Move:
    """Points the alias at the version once every gate is passed.

    Raises VersionMissingError, GateRefusedError (names metric, value and bound) or AliasMovedError.
    A version that holds the alias already keeps it, and the record of how it got it.
    """
    versions.check_names(name, alias)
    client = mlflow_client.connect()
    wanted = versions.get(client, name, int(version))
    _check_gates(client, wanted, gates)
    before = versions.holder(client, name, alias)
    if before and before.version == wanted.version and (made := moves.promotion_of(before, alias)):
        return made
    previous = before.version if before and before.version != wanted.version else None
    move = Move(wanted.version, previous, Environment.read().actor, datetime.now(UTC))
    _record(client, wanted, moves.tags_of(move, alias))
    _set(client, alias, wanted, before)
    return move


def rollback(name: str, alias: str) -> Move:
    """Points the alias back at the version that held it before the one that holds it now.

    Raises NothingToRollBackError without a record to go by, VersionMissingError when that version
    is gone.
    """
    versions.check_names(name, alias)
    client = mlflow_client.connect()
    current = versions.holder(client, name, alias)
    if current is None:
        raise NothingToRollBackError(f"alias {alias} of {name} is not set: promote a version first")
    target = versions.get(client, name, _recorded_previous(current, alias))
    by, at = Environment.read().actor, datetime.now(UTC)
    move = Move(target.version, current.version, by, at, is_rollback=True)
    _record(client, current, moves.tags_of(move, alias))
    _set(client, alias, target, current)
    return move


def _check_gates(client: MlflowClient, wanted: Version, gates: Sequence[MetricMin]) -> None:
    if not gates:
        return
    metrics: Mapping[str, float] = {}
    if wanted.run_id is not None:
        metrics = artifacts.get_run(client, wanted.run_id).data.metrics
    if said := refusals(gates, metrics):
        raise GateRefusedError(f"version {wanted.version} of {wanted.name}: {'; '.join(said)}")


def _recorded_previous(current: Version, alias: str) -> int:
    made = moves.promotion_of(current, alias)
    if made is None or made.previous is None:
        raise NothingToRollBackError(
            f"version {current.version} of {current.name} holds alias {alias} and records no "
            "version before it: promote the version that you want by its number"
        )
    return made.previous


def _record(client: MlflowClient, on: Version, tags: Mapping[str, str]) -> None:
    """Before the move: dying in between leaves a record too many rather than one too few."""
    with mlflow_client.asking(client):
        for key, value in tags.items():
            client.set_model_version_tag(on.name, str(on.version), key, value)


def _set(client: MlflowClient, alias: str, wanted: Version, before: Version | None) -> None:
    _expect(client, alias, wanted.name, before.version if before else None)
    with mlflow_client.asking(client):
        client.set_registered_model_alias(wanted.name, alias, str(wanted.version))
    _expect(client, alias, wanted.name, wanted.version)


def _expect(client: MlflowClient, alias: str, name: str, expected: int | None) -> None:
    found = versions.holder(client, name, alias)
    holds = found.version if found else None
    if holds != expected:
        raise AliasMovedError(
            f"somebody else moved alias {alias} of {name} at the same moment: it is at version "
            f"{holds}, and was expected at {expected}. Look at both versions and promote again"
        )
