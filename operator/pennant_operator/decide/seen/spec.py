"""Parses a ModelDeployment's spec into what the other steps use.

The CRD's schema and CEL rules catch nearly everything at `kubectl apply`; what they cannot see, and
objects written before a rule existed, end here as InvalidSpec, which names the field and the value.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from pennant_operator.decide.seen.actions import Act, RolloutAction
from pennant_operator.decide.seen.cache import Cache, parse_cache
from pennant_operator.decide.seen.mirror import Mirror, parse_mirror
from pennant_operator.decide.seen.strategy import RolloutStrategy, parse_strategy
from pennant_registry.durations import parse_duration
from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import NO_GATES, Gates, parse
from pennant_registry.names import model_name_problem, version_problem

CUSTOM = "Custom"  # spec.serving.mode: a server of the user's own; absent means Pennant's
BUNDLE = "Bundle"  # spec.serving.environment: as the bundle asks for; absent means the image's
_REQUIRED_FOR_CUSTOM = ("image", "port", "probes")
_MAX_BATCH_DELAY = timedelta(seconds=1)  # as in the CRD
_POINTERS = ("alias", "stage", "version")
_DECIMAL = re.compile(r"[0-9]{1,4}([.][0-9]{1,6})?")
T = TypeVar("T")


class InvalidSpecError(ValueError):
    """A field that cannot be understood; the message names it, its value and what to write."""


@dataclass(frozen=True)
class Watch:
    """What the poller asks the registry for: an alias or a stage to follow, or a pinned version."""

    registry: str
    model: str
    alias: str | None = None
    stage: str | None = None
    version: str | None = None
    # What a message calls the RolloutAction that pins it; which one that is changes no question.
    pinned_by: str | None = field(default=None, compare=False)

    def pinned(self, version: str, by: str | None = None) -> "Watch":
        """The same model, and of it this version."""
        return Watch(self.registry, self.model, version=version, pinned_by=by)

    @property
    def title(self) -> str:
        """The question, as a log line has it."""
        of = self.pointer if self.version is None else f"version {self.version}"
        return f"{of} of model {self.model}"

    @property
    def pointer(self) -> str:
        """What says which version is desired, as people call it."""
        if self.stage is not None:
            return f"stage {self.stage}"
        if self.version is None:
            return f"alias {self.alias}"
        return self.pinned_by or "spec.model.version"

    @property
    def verb(self) -> str:
        """What the pointer does with a version."""
        if self.stage is not None:
            return "holds"
        return "points at" if self.version is None else "pins"

    def cure(self, version: str) -> str:
        """What a person does about a version that was rejected; either suffices."""
        change = f"change spec.serving to have version {version} tried again"
        if self.stage is not None:  # its highest version counts
            return f"{change}, archive it, or move a higher one into the stage"
        if self.pinned_by is not None:
            return f"{change}, or delete the RolloutAction, or pin another version"
        if self.version is not None:
            return f"{change}, or set spec.model.version to another version (and back)"
        return f"{change}, or point {self.pointer} at another version (and back)"


@dataclass(frozen=True)
class Deadlines:
    """How long a candidate may wait in each phase."""

    schedule: timedelta
    fetch: timedelta
    load: timedelta


@dataclass(frozen=True)
class AnswerLimits:
    """How badly a version may answer in its bake (spec.rollout.answers)."""

    check: bool = True
    errors: float = 0.1  # share of 5xx
    slower: float = 5.0  # median, as a multiple of what it was before
    requests: int = 20  # answered, before anything is decided


@dataclass(frozen=True)
class Rehearsal:
    """What a candidate answers before it is ready; decimals as they are written."""

    requests: int
    errors: str
    slower: str
    agreement: str


@dataclass(frozen=True)
class Spec:
    """A ModelDeployment's spec, defaults filled in."""

    name: str
    namespace: str
    uid: str
    watch: Watch
    replicas: int
    serving: dict[str, Any]  # as written: part of the revision's identity
    bake: timedelta
    deadlines: Deadlines
    strategy: RolloutStrategy
    scale_down: bool  # onAliasRemoved: ScaleDown
    suspend: bool
    gates: Gates = NO_GATES
    answers: AnswerLimits = AnswerLimits()
    rehearsal: Rehearsal | None = None
    environment_check: str | None = None  # as written: likewise
    cache: Cache | None = None
    mirror: Mirror | None = None
    hold: str | None = None  # what a message calls the RolloutAction that holds, if one does

    @property
    def halted(self) -> bool:
        """No new revision is begun, by the spec or by a person."""
        return self.suspend or self.hold is not None


def parse_spec(owner: dict[str, Any]) -> Spec:
    """The spec of a ModelDeployment object; raises InvalidSpecError."""
    spec, meta = owner.get("spec", {}), owner["metadata"]
    rollout = spec.get("rollout", {})
    deadlines, serving = rollout.get("deadlines", {}), _serving(spec)
    custom = serving.get("mode") == CUSTOM
    return Spec(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        watch=_watch(spec),
        replicas=spec.get("replicas", 1),
        serving=serving,
        bake=_duration(rollout, "bake", "2m", "spec.rollout"),
        deadlines=Deadlines(
            schedule=_duration(deadlines, "schedule", "30m", "spec.rollout.deadlines"),
            fetch=_duration(deadlines, "fetch", "10m", "spec.rollout.deadlines"),
            load=_duration(deadlines, "load", "5m", "spec.rollout.deadlines"),
        ),
        strategy=_below("spec.rollout.", partial(parse_strategy, rollout, custom=custom)),
        scale_down=spec.get("onAliasRemoved", "Keep") == "ScaleDown",
        suspend=spec.get("suspend", False),
        gates=_gates(spec),
        answers=_answer_limits(rollout.get("answers", {})),
        rehearsal=_rehearsal(rollout, serving),
        environment_check=_environment_check(spec, serving),
        cache=_below("spec.serving.storage.", partial(parse_cache, serving.get("storage", {}))),
        mirror=_below(
            "spec.", partial(parse_mirror, spec.get("mirror"), name=meta["name"], custom=custom)
        ),
    )


def _below(path: str, parse_part: Callable[[], T]) -> T:
    """A part that says of itself what is wrong with it, by fields below a path."""
    try:
        return parse_part()
    except ValueError as error:
        raise InvalidSpecError(f"{path}{error}") from error


def _answer_limits(answers: dict[str, Any]) -> AnswerLimits:
    path = "spec.rollout.answers"
    return AnswerLimits(
        check=answers.get("check", "On") == "On",
        errors=float(_decimal(answers, "errors", "0.10", path, low=0.0001, high=1.0)),
        slower=float(_decimal(answers, "slower", "5", path, low=1.0, high=9999.99)),
        requests=answers.get("requests", 20),
    )


def _gates(spec: dict[str, Any]) -> Gates:
    try:
        return parse(spec.get("gates") or {}, "spec.gates")
    except InvalidGateError as error:
        raise InvalidSpecError(str(error)) from error


def _rehearsal(rollout: dict[str, Any], serving: dict[str, Any]) -> Rehearsal | None:
    fields, path = rollout.get("rehearsal"), "spec.rollout.rehearsal"
    if fields is None:
        return None
    if serving.get("mode") == CUSTOM:
        raise InvalidSpecError(
            "spec.rollout.rehearsal: a server of mode Custom rehearses nothing: take it out"
        )
    return Rehearsal(
        requests=fields.get("requests", 200),
        errors=_decimal(fields, "errors", "0", path, low=0, high=1),
        slower=_decimal(fields, "slower", "3", path, low=1, high=999),
        agreement=_decimal(fields, "agreement", "0", path, low=0, high=1),
    )


def _environment_check(spec: dict[str, Any], serving: dict[str, Any]) -> str | None:
    check: str | None = spec.get("environmentCheck")
    if check is not None and serving.get("mode") == CUSTOM:
        why = "a server of mode Custom checks nothing: take it out"
        raise InvalidSpecError(f"spec.environmentCheck: {why}")
    return check


def watch_of(owner: dict[str, Any]) -> Watch | None:
    """What to ask the registry for this object; None while its spec cannot be understood."""
    try:
        return _watch(owner.get("spec", {}))
    except InvalidSpecError:
        return None


def watches_of(owner: dict[str, Any], actions: Iterable[RolloutAction]) -> frozenset[Watch]:
    """All that is asked for this object: what its spec follows, and what is pinned beside that."""
    watch = watch_of(owner)
    if watch is None:
        return frozenset()
    pins = [each for each in actions if each.act is Act.PIN and not each.finished]
    return frozenset({watch, *(watch.pinned(pin.version) for pin in pins if pin.version)})


def _watch(spec: dict[str, Any]) -> Watch:
    model = spec.get("model", {})
    if not model.get("name"):
        raise InvalidSpecError("spec.model.name is missing: write the registered model's name")
    chosen = {field: model[field] for field in _POINTERS if model.get(field) is not None}
    if len(chosen) != 1:
        raise InvalidSpecError(
            f"spec.model needs exactly one of alias, stage and version, and has "
            f"{' and '.join(chosen) or 'none of them'}: write the one that is to be followed"
        )
    if problem := model_name_problem(model["name"]):
        raise InvalidSpecError(f"spec.model.name: {problem}")
    if problem := version_problem(chosen.get("version")):
        raise InvalidSpecError(f"spec.model.version: {problem}")
    return Watch(spec.get("registry", "default"), model["name"], **chosen)


def _serving(spec: dict[str, Any]) -> dict[str, Any]:
    serving: dict[str, Any] = spec.get("serving") or {}
    if serving.get("mode") == CUSTOM:
        for field in _REQUIRED_FOR_CUSTOM:
            if not serving.get(field):
                raise InvalidSpecError(f"spec.serving.{field} is missing: write it for mode Custom")
        if serving.get("environment") == BUNDLE:
            raise InvalidSpecError(
                "spec.serving.environment: a server of mode Custom has the packages of its own "
                "image: take it out"
            )
    _check_delay(serving.get("batching", {}), "spec.serving.batching")
    return serving


def _check_delay(batching: dict[str, Any], path: str) -> None:
    if _duration(batching, "maxDelay", "0s", path) > _MAX_BATCH_DELAY:
        raise InvalidSpecError(
            f"{path}.maxDelay: {batching['maxDelay']!r} is more than 1s, and is added to every "
            f"request: write for example 5ms"
        )


def _decimal(
    part: dict[str, Any], field: str, default: str, path: str, *, low: float, high: float
) -> str:
    text = part.get(field, default)
    known = isinstance(text, str) and _DECIMAL.fullmatch(text)
    if not known or not low <= float(text) <= high:
        raise InvalidSpecError(
            f"{path}.{field}: {text!r} is no decimal in quotes from {low:g} to {high:g}: write for "
            f'example "{default}"'
        )
    return str(text)


def _duration(part: dict[str, Any], field: str, default: str, path: str) -> timedelta:
    try:
        return parse_duration(part.get(field, default))
    except ValueError as error:
        raise InvalidSpecError(f"{path}.{field}: {error}") from error
