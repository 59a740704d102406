"""Holds a version against gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pennant_registry.gates.facts import BundleFacts, VersionFacts
from pennant_registry.gates.form import Change, Closed, Gates, MetricGate, TagGate, number
from pennant_registry.gates.result import GateResult, Result
from pennant_registry.gates.signatures import incompatible
from pennant_registry.gates.windows import closed_until
from pennant_registry.gates.wording import listed, shortened


def evaluate(
    gates: Gates, version: VersionFacts, serving: VersionFacts | None, now: datetime
) -> tuple[GateResult, ...]:
    """What each gate says of a version; `serving` is what it would replace, None: nothing yet."""
    return (
        *(result for gate in gates.metrics for result in _metric(gate, version, serving)),
        *(_tag(gate, version) for gate in gates.tags),
        *([_flavors(gates.flavors, version)] if gates.flavors else ()),
        *([_signature(version, serving)] if gates.compatible else ()),
        *(_closed(window, now) for window in gates.closed),
    )


def refusals(results: Iterable[GateResult]) -> list[str]:
    """What all the gates say that let nothing through, in their order; empty: it may pass."""
    return [each.message for each in results if each.result is not Result.PASSED]


def open_at(results: Iterable[GateResult]) -> datetime | None:
    """When a closed window among the results ends; None where there is none."""
    return min((each.until for each in results if each.until), default=None)


def _metric(
    gate: MetricGate, version: VersionFacts, serving: VersionFacts | None
) -> Iterator[GateResult]:
    if gate.min is not None:
        yield _bounded(gate, version, "min", gate.min, f"at least {number(gate.min)}")
    if gate.max is not None:
        yield _bounded(gate, version, "max", gate.max, f"at most {number(gate.max)}")
    for side, change in (("maxDrop", gate.max_drop), ("maxRise", gate.max_rise)):
        if change is not None:
            yield _compared(gate, version, serving, side, change)


def _bounded(
    gate: MetricGate, version: VersionFacts, side: str, bound: Decimal, asked: str
) -> GateResult:
    name = f"metrics.{gate.name}.{side}"
    if isinstance(version.metrics, str):
        message = f"metric {gate.name} is not known ({version.metrics}), and must be {asked}"
        return GateResult(name, Result.UNKNOWN, "", asked, message)
    value = version.metrics.get(gate.name)
    if value is None:
        known = listed(sorted(version.metrics)) or "none"
        message = f"metric {gate.name} is not logged for it (its metrics: {known}), and must be"
        return GateResult(name, Result.FAILED, "", asked, f"{message} {asked}")
    exact = Decimal(repr(value))
    is_number = exact.is_finite() and not bound.is_nan()
    if is_number and (exact >= bound if side in ("min", "maxDrop") else exact <= bound):
        return GateResult(name, Result.PASSED, number(exact), asked)
    message = f"metric {gate.name} is {number(exact)}, and must be {asked}"
    return GateResult(name, Result.FAILED, number(exact), asked, message)


def _compared(
    gate: MetricGate,
    version: VersionFacts,
    serving: VersionFacts | None,
    side: str,
    change: Change,
) -> GateResult:
    """Without a version that serves there is nothing to compare with, and it passes."""
    name, way = f"metrics.{gate.name}.{side}", "below" if side == "maxDrop" else "above"
    if serving is None:
        message = f"metric {gate.name} is compared with nothing: no version serves yet"
        return GateResult(name, Result.PASSED, "", f"at most {change} {way}", message)
    if isinstance(serving.metrics, str):
        message = (
            f"metric {gate.name} cannot be compared: those of version {serving.version}, which "
            f"serves, are not known ({serving.metrics})"
        )
        return GateResult(name, Result.UNKNOWN, "", f"at most {change} {way}", message)
    base = serving.metrics.get(gate.name)
    exact = Decimal(repr(base)) if base is not None else Decimal("NaN")
    if not exact.is_finite():
        has = "no such metric" if base is None else f"{number(exact)}"
        message = (
            f"metric {gate.name} cannot be compared: version {serving.version}, which serves, has "
            f"{has}; log it there"
        )
        return GateResult(name, Result.UNKNOWN, "", f"at most {change} {way}", message)
    bound = exact - change.of(exact) if side == "maxDrop" else exact + change.of(exact)
    least = "at least" if side == "maxDrop" else "at most"
    asked = (
        f"{least} {number(bound)}, which is {change} {way} that of version {serving.version}, "
        "which serves"
    )
    return _bounded(gate, version, side, bound, asked)


def _tag(gate: TagGate, version: VersionFacts) -> GateResult:
    asked = "set" if gate.value is None else repr(gate.value)
    if isinstance(version.tags, str):
        message = f"tag {gate.key} is not known ({version.tags}), and must be {asked}"
        return GateResult(f"tags.{gate.key}", Result.UNKNOWN, "", asked, message)
    value = version.tags.get(gate.key, "")
    shown = shortened(value)
    has = repr(shown) if shown else "not set"
    if bool(value) if gate.value is None else value == gate.value:
        return GateResult(f"tags.{gate.key}", Result.PASSED, shown, asked)
    message = f"tag {gate.key} is {has}, and must be {asked}"
    return GateResult(f"tags.{gate.key}", Result.FAILED, shown, asked, message)


def _flavors(wanted: tuple[str, ...], version: VersionFacts) -> GateResult:
    asked = f"one of {', '.join(wanted)}" if len(wanted) > 1 else wanted[0]
    if not isinstance(version.bundle, BundleFacts):
        return _unknown("flavors", "its flavors are", asked, version.bundle)
    has = listed(version.bundle.flavors) or "none"
    if set(wanted) & set(version.bundle.flavors):
        return GateResult("flavors", Result.PASSED, has, asked)
    message = f"its flavors are {has}, and must have {asked}"
    return GateResult("flavors", Result.FAILED, has, asked, message)


def _signature(version: VersionFacts, serving: VersionFacts | None) -> GateResult:
    if serving is None:
        message = "its signature is compared with nothing: no version serves yet"
        return GateResult("signature", Result.PASSED, "", "compatible", message)
    asked = f"compatible with version {serving.version}, which serves"
    for facts in (version, serving):
        if not isinstance(facts.bundle, BundleFacts):
            own = facts is version
            what = "its signature is" if own else f"the signature of version {facts.version} is"
            return _unknown("signature", what, asked, facts.bundle)
    assert isinstance(version.bundle, BundleFacts)
    assert isinstance(serving.bundle, BundleFacts)
    problems = incompatible(version.bundle.signature, serving.bundle.signature)
    if not problems:
        return GateResult("signature", Result.PASSED, "compatible", asked)
    first = f"its signature does not take all that version {serving.version} takes, which serves"
    return GateResult(
        "signature", Result.FAILED, "incompatible", asked, f"{first}: {listed(problems)}"
    )


def _unknown(gate: str, what: str, asked: str, why: str) -> GateResult:
    cure = "pennant_registry.register writes tags that say it"
    message = f"{what} not known ({why}), and must be {asked}: {cure}"
    return GateResult(gate, Result.UNKNOWN, "", asked, message)


def _closed(window: Closed, now: datetime) -> GateResult:
    until = closed_until(window, now)
    if until is None:
        return GateResult("closed", Result.PASSED, "open", str(window))
    local = until.astimezone(ZoneInfo(window.time_zone))
    moment = f"{local:%a %Y-%m-%d %H:%M:%S} {window.time_zone}"
    message = f"nothing new goes out before {moment} ({window})"
    return GateResult("closed", Result.FAILED, moment, str(window), message, until)
