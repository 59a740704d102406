"""Which worker takes which module, and what workers share."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from company import Company
from lanes import LONG, is_of_the_cluster, next_module
from waiting import until

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CLUSTER = "tests/e2e/test_rollouts.py"
ALONE = "tests/e2e/alone/test_drain.py"
SERVERS = "tests/integration/test_webhooks.py"
PURE = "tests/unit/test_plan.py"


@pytest.mark.parametrize(
    ("of_the_cluster", "order"),
    [(True, [CLUSTER, SERVERS, PURE, ALONE]), (False, [SERVERS, PURE, CLUSTER, ALONE])],
    ids=["of the cluster", "of the rest"],
)
def test_a_worker_keeps_to_its_lane_then_helps_and_who_needs_the_machine_alone_comes_last(
    of_the_cluster: bool, order: list[str]
):
    waiting, taken = [PURE, ALONE, SERVERS, CLUSTER], []
    while waiting:
        taken.append(next_module(waiting, of_the_cluster=of_the_cluster))
        waiting.remove(taken[-1])
    assert taken == order


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_one_worker_at_least_is_not_the_clusters(workers: int):
    lanes = [is_of_the_cluster(f"gw{number}", workers) for number in range(workers)]
    assert lanes == sorted(lanes, reverse=True)
    assert not all(lanes)


def test_long_modules_begin_first_and_the_others_in_the_order_of_the_run():
    long = "tests/integration/test_operator_process.py"
    others = ["tests/integration/test_zebra.py", "tests/integration/test_ant.py"]
    assert next_module([*others, long], of_the_cluster=False) == long
    assert next_module(others, of_the_cluster=False) == others[0]


def test_every_module_that_is_called_long_is_there():
    assert [name for name in LONG if not (ROOT / name).exists()] == []


def test_what_is_made_once_is_the_same_for_all(tmp_path: Path):
    made = iter(range(2))
    found = [Company(tmp_path).once("number", lambda: next(made)) for _ in range(2)]
    assert found == [0, 0]


def test_what_could_not_be_made_is_tried_by_the_next(tmp_path: Path):
    with pytest.raises(ZeroDivisionError):
        Company(tmp_path).once("number", lambda: 1 / 0)
    assert Company(tmp_path).once("number", lambda: 1) == 1


def test_the_first_guest_opens_and_the_last_one_closes_whoever_goes_first(tmp_path: Path):
    did: list[str] = []

    def comes() -> ExitStack:
        stay = ExitStack()
        guest = Company(tmp_path).guest(
            "house", lambda: did.append("opens"), lambda: did.append("closes")
        )
        stay.enter_context(guest)
        return stay

    first, second = comes(), comes()
    first.close()
    third = comes()
    second.close()
    assert did == ["opens"]
    third.close()
    assert did == ["opens", "closes"]
    comes().close()
    assert did == ["opens", "closes"] * 2


def test_who_wants_to_be_alone_waits_for_all_others_and_they_for_him(tmp_path: Path):
    did: list[str] = []

    def alone() -> None:
        with Company(tmp_path).alone():
            did.append("alone")

    def is_waited_for() -> bool:
        inode = (tmp_path / "machine.lock").stat().st_ino
        locks = Path("/proc/locks").read_text().splitlines()
        return any("->" in line and f":{inode} " in line for line in locks)

    waits = threading.Thread(target=alone)
    with Company(tmp_path).beside(), Company(tmp_path).beside():
        waits.start()
        until(is_waited_for)
        did.append("beside")
    waits.join(timeout=10)
    assert did == ["beside", "alone"]
