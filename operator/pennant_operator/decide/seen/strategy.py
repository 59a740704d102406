"""spec.rollout.strategy and what belongs to each: how a revision takes over.

How sizes and traffic move is said in decide/traffic/, a file a strategy.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pennant_registry.durations import parse_duration

CANARY_PAUSE = "5m"  # of the steps where nobody wrote any
_ALL = Decimal(100)
# As in the CRD.
_WEIGHT = re.compile(r"[0-9]{1,2}([.][0-9]{1,2})?")
_SHARE_OF_PODS = re.compile("(100|[0-9]{1,2})%")


class StrategyName(StrEnum):
    """The strategies, as `spec.rollout.strategy` has them."""

    BLUE_GREEN = "BlueGreen"
    ROLLING = "Rolling"
    RECREATE = "Recreate"
    CANARY = "Canary"
    AUTO = "Auto"


@dataclass(frozen=True)
class CanaryStep:
    """A share of the requests, and how long it stays."""

    percent: str  # a decimal, as it was written
    pause: timedelta | None = None  # None: until a person says Skip or Promote

    def size(self, replicas: int) -> int:
        """Pods that its share needs, of so many for all; at least one."""
        return max(1, math.ceil(replicas * Decimal(self.percent) / _ALL))


@dataclass(frozen=True)
class StickyBy:
    """What of a request says who asks: whoever asks is answered by the same version."""

    kind: str  # header | cookie
    name: str


DEFAULT_STEPS = tuple(
    CanaryStep(percent, parse_duration(CANARY_PAUSE)) for percent in ("1", "10", "50")
)


@dataclass(frozen=True)
class RolloutStrategy:
    """How a revision takes over, and what was asked for of that."""

    name: StrategyName = StrategyName.BLUE_GREEN
    max_surge: int | str = 1  # Rolling: pods beyond spec.replicas, or a share such as "25%"
    max_unavailable: int | str = 0  # Rolling: pods that may be away, likewise
    max_wait: timedelta = timedelta(seconds=30)  # Recreate: for a request in the lobby
    auto_after: timedelta = timedelta(minutes=2)  # Auto: without room, before it is Recreate
    steps: tuple[CanaryStep, ...] = DEFAULT_STEPS  # Canary
    sticky: StickyBy | None = None  # Canary

    @property
    def grows_in_parts(self) -> bool:
        """Whether a candidate may be judged before it has all its pods."""
        return self.name in {StrategyName.ROLLING, StrategyName.CANARY}


def parse_strategy(rollout: Mapping[str, Any], *, custom: bool = False) -> RolloutStrategy:
    """Of `spec.rollout`; raises ValueError with the field, below spec.rollout, and what to do."""
    chosen = rollout.get("strategy", "BlueGreen")
    try:
        name = StrategyName(chosen)
    except ValueError:
        raise ValueError(f"strategy: {chosen!r} is none of {', '.join(StrategyName)}") from None
    if name is StrategyName.CANARY and custom:
        raise ValueError(
            "strategy: a server of mode Custom hands no requests over, as Canary needs: write "
            "BlueGreen, Rolling, Recreate or Auto"
        )
    rolling, canary = rollout.get("rolling") or {}, rollout.get("canary") or {}
    surge, away = _pods_field(rolling, "maxSurge", 1), _pods_field(rolling, "maxUnavailable", 0)
    if not _pods(surge, 100) and not _pods(away, 100):
        raise ValueError(
            "rolling: maxSurge and maxUnavailable are both 0, and then nothing can move: let one "
            "of them be 1 or more"
        )
    return RolloutStrategy(
        name,
        max_surge=surge,
        max_unavailable=away,
        max_wait=_max_wait((rollout.get("lobby") or {}).get("maxWait", "30s")),
        auto_after=_duration(rollout.get("autoAfter", "2m"), "autoAfter"),
        steps=_steps(canary.get("steps")),
        sticky=_sticky(canary.get("by")),
    )


def pods_of(asked: int | str, replicas: int, *, up: bool) -> int:
    """Pods that a number or a share such as "25%" means; shares are rounded up or down."""
    exact = _pods(asked, replicas)
    return math.ceil(exact) if up else math.floor(exact)


def _pods_field(rolling: Mapping[str, Any], field: str, default: int) -> int | str:
    asked: int | str = rolling.get(field, default)
    known = _SHARE_OF_PODS.fullmatch(asked) if isinstance(asked, str) else asked >= 0
    if not known:
        raise ValueError(
            f"rolling.{field}: {asked!r} is neither a number nor a share: write for example 1 or "
            "25%"
        )
    return asked


def _max_wait(text: str) -> timedelta:
    wait = _duration(text, "lobby.maxWait")
    if not wait:
        raise ValueError(
            f"lobby.maxWait: {text!r} lets no request wait, not even for a pod that answers: write "
            "for example 30s"
        )
    return wait


def _pods(asked: int | str, replicas: int) -> Decimal:
    """Pods that are meant, exactly."""
    if isinstance(asked, str):
        return Decimal(asked.removesuffix("%")) * replicas / _ALL
    return Decimal(asked)


def _steps(written: list[dict[str, Any]] | None) -> tuple[CanaryStep, ...]:
    if not written:
        return DEFAULT_STEPS
    steps: list[CanaryStep] = []
    for place, step in enumerate(written):
        path, weight, pause = f"canary.steps[{place}]", step.get("weight"), step.get("pause")
        if not isinstance(weight, str) or not _is_weight(weight):
            raise ValueError(
                f"{path}.weight: {weight!r} is no percent in quotes above 0 and below 100: write "
                'for example "10"'
            )
        if steps and Decimal(weight) <= Decimal(steps[-1].percent):
            raise ValueError(
                f"{path}.weight: {weight!r} is no more than that of the step before it: let "
                "weights rise from step to step"
            )
        wait = None if pause is None else _duration(pause, f"{path}.pause")
        steps.append(CanaryStep(weight, wait))
    return tuple(steps)


def _is_weight(text: str) -> bool:
    return _WEIGHT.fullmatch(text) is not None and Decimal(text) > 0


def _sticky(by: Mapping[str, str] | None) -> StickyBy | None:
    if not by:
        return None
    kind, name = next(iter(sorted(by.items())))
    return StickyBy(kind, name)


def _duration(text: str, path: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
