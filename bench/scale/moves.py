"""How long it takes from an alias that moves to the candidate's Deployment."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mlflow import MlflowClient

from bench.scale.fleet import ALIAS, SHARED, Fleet, model_of, name_of
from pennant_testing.control_plane.audit_log import USER, Audit
from pennant_testing.waiting import until

SINGLE = 10
AT_ONCE = 100
MOVE_DEADLINE_SECONDS = 300.0
"""Seconds for the last candidate of a move."""
CALM_SECONDS = 5.0
"""Seconds without a write: the rollouts are over, and what they left is put away."""


@dataclass(frozen=True)
class Moves:
    """Seconds from each alias that moved to the candidate's Deployment."""

    single: tuple[float, ...]
    at_once: tuple[float, ...]
    shared: tuple[float, ...]
    writes: float
    """API writes of one move, with all that follows from it."""
    reads: float


@dataclass(frozen=True)
class Mover:
    """Moves aliases, and reads in the audit log what came of it."""

    mlflow: MlflowClient
    audit: Audit

    def measure(self, fleet: Fleet, version: str) -> Moves:
        """One alias after the other, many at once, and one that many ModelDeployments follow."""
        since = self.audit.mark()
        own = {model_of(number): [name_of(number)] for number in range(fleet.own)}
        models = list(own)
        single = [self._move({m: own[m]}, version) for m in models[:SINGLE]]
        self._calm()
        at_once = self._move({m: own[m] for m in models[SINGLE : SINGLE + AT_ONCE]}, version)
        self._calm()
        shared = self._move({SHARED: fleet.followers()}, version)
        self._calm()
        moved = len(single) + len(at_once) + len(shared)
        return Moves(
            tuple(took for each in single for took in each),
            at_once,
            shared,
            writes=self.audit.writes(since).total() / moved,
            reads=reads(self.audit.requests(since)) / moved,
        )

    def _move(self, targets: Mapping[str, Sequence[str]], version: str) -> tuple[float, ...]:
        """Move the alias of every model at once; `targets` is model -> who follows it.

        The clock starts when MLflow is asked to move the alias, and stops when the API server has
        answered the first write of a Deployment of the follower's.
        """
        since, moved = self.audit.mark(), dict[str, float]()

        def one(model: str) -> None:
            moved[model] = time.time()
            self.mlflow.set_registered_model_alias(model, ALIAS, version)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, targets))
        model_by_name = {name: model for model, names in targets.items() for name in names}
        until(lambda: model_by_name.keys() <= self._applied(since).keys(), MOVE_DEADLINE_SECONDS)
        applied = self._applied(since)
        return tuple(applied[name] - moved[model] for name, model in model_by_name.items())

    def _applied(self, since: int) -> dict[str, float]:
        """ModelDeployment -> the unix time of the first write of one of its Deployments."""
        first_writes: dict[str, float] = {}
        for write in self.audit.written(USER, since=since):
            if write.what == "deployments":
                first_writes.setdefault(write.name.rpartition("-")[0], write.ended.timestamp())
        return first_writes

    def _calm(self) -> None:
        until(self.quiet, MOVE_DEADLINE_SECONDS)

    def quiet(self) -> bool:
        """Whether nothing is written for some seconds."""
        since = self.audit.mark()
        time.sleep(CALM_SECONDS)
        return not self.audit.writes(since)


def reads(requests: Mapping[str, int]) -> int:
    """GETs and LISTs among requests; watches stay open."""
    return sum(n for did, n in requests.items() if did.startswith(("get ", "list ")))
