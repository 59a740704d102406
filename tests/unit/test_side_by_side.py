"""Which worker takes which module, and what workers share."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from pennant_testing.running.scheduling import LONG, next_module
from pennant_testing.running.shared_once import SharedOnce
from pennant_testing.waiting import until

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CLUSTER = "tests/e2e/test_rollouts.py"
ALONE = "tests/e2e/alone/test_drain.py"
SERVERS = "tests/integration/test_webhooks.py"
PURE = "tests/unit/test_plan.py"


@pytest.mark.parametrize(
    ("worker", "order"),
    [(0, [CLUSTER, ALONE, SERVERS, PURE]), (4, [SERVERS, PURE, CLUSTER, ALONE])],
    ids=["of the cluster", "of the rest"],
)
def test_a_worker_keeps_to_its_lane_and_then_helps_the_others(worker: int, order: list[str]):
    waiting, taken = [PURE, ALONE, SERVERS, CLUSTER], []
    while waiting:
        taken.append(next_module(waiting, [], worker, 5))
        waiting.remove(taken[-1])
    assert taken == order


def test_where_somebody_has_the_cluster_to_himself_others_do_not_wait_for_it():
    waiting, running = [ALONE, PURE], ["tests/e2e/alone/test_story.py"]
    assert next_module(waiting, running, 0, 5) == PURE
    assert next_module(waiting, [CLUSTER], 0, 5) == ALONE


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_the_last_worker_never_begins_with_the_cluster(workers: int):
    assert next_module([CLUSTER, PURE], [], workers - 1, workers) == PURE


def test_long_modules_begin_first_and_the_others_in_the_order_of_the_run():
    long = "tests/integration/test_operator_process.py"
    others = ["tests/integration/test_zebra.py", "tests/integration/test_ant.py"]
    assert next_module([*others, long], [], 4, 5) == long
    assert next_module(others, [], 4, 5) == others[0]


def test_every_module_that_is_called_long_is_there():
    assert [name for name in LONG if not (ROOT / name).exists()] == []


def test_what_is_made_once_is_the_same_for_all(tmp_path: Path):
    made = iter(range(2))
    found = [SharedOnce(tmp_path).once("number", lambda: next(made)) for _ in range(2)]
    assert found == [0, 0]


def test_what_could_not_be_made_is_tried_by_the_next(tmp_path: Path):
    with pytest.raises(ZeroDivisionError):
        SharedOnce(tmp_path).once("number", lambda: 1 / 0)
    assert SharedOnce(tmp_path).once("number", lambda: 1) == 1


def test_the_first_guest_opens_and_the_last_one_closes_whoever_goes_first(tmp_path: Path):
    did: list[str] = []

    def comes() -> ExitStack:
        stay = ExitStack()
        guest = SharedOnce(tmp_path).guest(
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


def test_what_opens_only_in_part_is_closed_and_opened_by_the_next(tmp_path: Path):
    did: list[str] = []
    with (
        pytest.raises(ZeroDivisionError),
        SharedOnce(tmp_path).guest("house", lambda: 1 / 0, lambda: did.append("closes")),
    ):
        did.append("never inside")
    assert did == ["closes"]
    with SharedOnce(tmp_path).guest("house", lambda: did.append("opens"), lambda: None):
        assert did == ["closes", "opens"]


def test_who_wants_to_be_alone_waits_for_all_others_and_they_for_him(tmp_path: Path):
    did: list[str] = []

    def alone() -> None:
        with SharedOnce(tmp_path).alone():
            did.append("alone")

    def is_waited_for() -> bool:
        inode = (tmp_path / "cluster.lock").stat().st_ino
        locks = Path("/proc/locks").read_text().splitlines()
        return any("->" in line and f":{inode} " in line for line in locks)

    waits = threading.Thread(target=alone)
    with SharedOnce(tmp_path).beside(), SharedOnce(tmp_path).beside():
        waits.start()
        until(is_waited_for)
        did.append("beside")
    waits.join(timeout=10)
    assert did == ["beside", "alone"]
