"""Which worker runs which test module, and in what order: a scheduler for pytest-xdist.

A module is handed out whole, as its fixtures are dear. Modules of the cluster wait more than they
compute, so the first workers take those and the others the rest; who runs out of work helps.
Modules in a folder `alone` come last of the cluster's, one by one: each has it to itself
(`place` in e2e/conftest.py), and all others compute meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

CLUSTER_WORKERS = 2  # with more, thirty pods start at once and the operator waits for its turn
# What takes longest begins first, or the others would wait for it in the end.
LONG = (
    "tests/e2e/test_bad_world.py",
    "tests/e2e/test_narrow_world.py",
    "tests/integration/test_operator_fields.py",
    "tests/e2e/test_rollouts.py",
    "tests/e2e/test_restless.py",
    "tests/e2e/test_bad_versions.py",
    "tests/integration/test_operator_trouble.py",
    "tests/integration/test_operator_process.py",
    "tests/integration/registry/test_registry_library.py",
    "tests/integration/test_operator_lease.py",
    "tests/integration/test_registry_guarded.py",
    "tests/integration/test_installs.py",
)
TIERS = ("tests/integration", "tests/contract", "tests/unit")  # the short ones fill the gaps


def module_of(test: str) -> str:
    """The file of a test's id."""
    return test.partition("::")[0]


def is_of_the_cluster(module: str) -> bool:
    """Whether it waits for pods more than it computes."""
    return module.startswith("tests/e2e/")


def is_alone(module: str) -> bool:
    """Whether it needs the cluster to itself."""
    return "/alone/" in module


def next_module(waiting: Iterable[str], running: Iterable[str], worker: int, workers: int) -> str:
    """The one of the waiting modules that a worker should take; `waiting` is never empty."""
    lane = worker < min(CLUSTER_WORKERS, workers - 1)
    taken = any(map(is_alone, running))

    def rank(module: str) -> tuple[bool, bool, bool, int, int]:
        tier = next((n for n, start in enumerate(TIERS) if module.startswith(start)), 0)
        length = LONG.index(module) if module in LONG else len(LONG)
        would_wait = is_alone(module) and (taken or not lane)
        return would_wait, is_of_the_cluster(module) != lane, is_alone(module), tier, length

    return min(waiting, key=rank)


class ModuleScheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Hands out modules by `next_module`."""

    def _split_scope(self, nodeid: str) -> str:
        return module_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        number = int(node.gateway.id.removeprefix("gw"))
        chosen = next_module(self.workqueue, self._running(), number, self.numnodes)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)

    def _running(self) -> list[str]:
        units = [unit for work in self.assigned_work.values() for unit in work.items()]
        return [module for module, tests in units if not all(tests.values())]
