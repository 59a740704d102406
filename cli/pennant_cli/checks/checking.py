"""`pennant check`: whether a version may go out, as far as that can be known beforehand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_cli.checks.findings import Finding, Verdict
from pennant_cli.checks.trying import Trial, tried
from pennant_cli.pointer_names import PointerName
from pennant_cli.version_names import VersionName
from pennant_registry import client as mlflow_client
from pennant_registry import gates as gating
from pennant_registry import hold_tags, pointers, versions
from pennant_registry.errors import RegistryError, RegistryUnreachableError
from pennant_registry.gates import GateResult, Gates, Result
from pennant_registry.production import download_verified
from pennant_registry.version_facts import facts_for
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

VERDICTS = {
    Result.PASSED: Verdict.OK,
    Result.FAILED: Verdict.PROBLEM,
    Result.UNKNOWN: Verdict.UNKNOWN,
}


@dataclass(frozen=True)
class CheckOrder:
    """What a person asks for."""

    of: VersionName
    gates: Gates = gating.NO_GATES
    pointer: PointerName | None = None
    """Where it is to go: what holds it there, and what it is compared with."""
    trial: Trial = field(default_factory=Trial)


def check(order: CheckOrder) -> list[Finding]:
    """In the order of what costs least. Raises RegistryError where there is no such version, or no
    answer."""
    client = mlflow_client.connect()
    version = versions.get(client, order.of.model, order.of.version)
    return [
        *_hold(client, version, order.pointer),
        *_gates(client, version, order),
        *_bundle(client, version, order),
    ]


def refuses(findings: list[Finding]) -> bool:
    """Whether one of them keeps it from going out; what is not known does."""
    return any(each.verdict in (Verdict.PROBLEM, Verdict.UNKNOWN) for each in findings)


def _hold(client: MlflowClient, version: Version, pointer: PointerName | None) -> Iterator[Finding]:
    if pointer is None:
        return
    of = pointers.pointer(version.name, **pointer.named)
    on = hold_tags.holds_on(client, version.name, of).on(str(version.version), datetime.now(UTC))
    if on is None:
        yield Finding("hold", Verdict.OK, f"nobody holds it for {of}")
    else:
        which = f"--version {version.version}" if on.version else ""
        remedy = f"pennant release {pointer.written} {which}".rstrip()
        yield Finding("hold", Verdict.PROBLEM, f"{'it' if on.version else of} is {on}", remedy)


def _gates(client: MlflowClient, version: Version, order: CheckOrder) -> Iterator[Finding]:
    gates, before = order.gates, None
    if gates == gating.NO_GATES:
        return
    try:
        if order.pointer is not None and gates.against_serving:
            of = pointers.pointer(version.name, **order.pointer.named)
            holders = of.holders(client, version.name)
            before = facts_for(client, holders[0], gates) if holders else None
        facts = facts_for(client, version, gates)
    except RegistryUnreachableError:
        raise
    except RegistryError as error:
        yield Finding("gates", Verdict.UNKNOWN, str(error))
        return
    yield from map(_gate, gating.evaluate(gates, facts, before, datetime.now(UTC)))


def _gate(result: GateResult) -> Finding:
    message = result.message or f"{result.value}, and must be {result.bound}"
    return Finding(f"gate {result.gate}", VERDICTS[result.result], message)


def _bundle(client: MlflowClient, version: Version, order: CheckOrder) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="pennant-check-") as folder:
        place = Path(folder)
        (place / "bundle").mkdir()
        try:
            bundle = download_verified(client, version, place / "bundle")
        except RegistryUnreachableError:
            raise
        except RegistryError as error:
            yield Finding("bundle", Verdict.PROBLEM, str(error))
            return
        yield _digest(version)
        yield from tried(bundle, order.of, order.trial, place)


def _digest(version: Version) -> Finding:
    if version.sha256 is not None:
        message = f"its bytes are those that were registered, sha256 {version.sha256[:12]}"
        return Finding("bundle", Verdict.OK, message)
    message = "it has no tag pennant.sha256, so nobody can say whether its bytes were changed"
    remedy = "register versions with pennant register"
    return Finding("bundle", Verdict.WARNING, message, remedy)
