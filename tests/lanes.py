"""Which worker runs which test module, and in what order: a scheduler for pytest-xdist.

A module is handed out whole, as its fixtures are dear. Modules of the cluster wait more than they
compute, so the first workers take those and the others the rest; who runs out of work helps.
Modules in a folder `alone` come last: each has the machine to itself (`alone` in conftest.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

CLUSTER_WORKERS = 3
# What takes longest begins first, or the others would wait for it in the end.
LONG = (
    "tests/e2e/test_bad_world.py",
    "tests/e2e/test_rollouts.py",
    "tests/e2e/test_restless.py",
    "tests/integration/test_operator_process.py",
    "tests/integration/test_operator_lease.py",
    "tests/integration/test_operator_trouble.py",
    "tests/integration/registry/test_registry_library.py",
)
TIERS = ("tests/integration", "tests/contract", "tests/unit")  # the short ones fill the gaps


def module_of(test: str) -> str:
    """The file of a test's id."""
    return test.partition("::")[0]


def is_of_the_cluster(worker: str, workers: int) -> bool:
    """Whether a worker (`gw0`, `gw1`, ...) begins with modules of the cluster."""
    return int(worker.removeprefix("gw")) < min(CLUSTER_WORKERS, workers - 1)


def next_module(waiting: Iterable[str], *, of_the_cluster: bool) -> str:
    """The one of the waiting modules that a worker should take; `waiting` is never empty."""

    def rank(module: str) -> tuple[bool, bool, int, int]:
        tier = next((n for n, start in enumerate(TIERS) if module.startswith(start)), 0)
        length = LONG.index(module) if module in LONG else len(LONG)
        lane = module.startswith("tests/e2e/")
        return is_alone(module), lane != of_the_cluster, tier, length

    return min(waiting, key=rank)


def is_alone(module: str) -> bool:
    """Whether it needs the machine to itself."""
    return "/alone/" in module


class Lanes(LoadScopeScheduling):
    """Hands out modules by `next_module`."""

    def _split_scope(self, nodeid: str) -> str:
        return module_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        cluster = is_of_the_cluster(node.gateway.id, self.numnodes)
        chosen = next_module(self.workqueue, of_the_cluster=cluster)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)
