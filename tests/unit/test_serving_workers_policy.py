"""What workers know of each other, what they share, and when replacing them is no use."""

from __future__ import annotations

import pytest

from pennant_serving.lifecycle.board import (
    FRESH_SECONDS,
    Board,
    Place,
    Seen,
    State,
    can_answer,
    is_live,
    silent,
    takes_connections,
)
from pennant_serving.metrics import sharing
from pennant_serving.metrics.histograms import Family, Histograms, metrics, summed
from pennant_serving.metrics.sharing import gathered, leave_counts, retire
from pennant_serving.process.supervisor import CRASH_WINDOW_SECONDS, too_many

pytestmark = pytest.mark.unit

FAMILY = Family("seconds", "Of something.", ("code",), (1.0, 2.0))
NOW = 1000.0
READY = Seen(State.READY, NOW - 0.5)
STARTING = Seen(State.STARTING, NOW - 0.5)
STUCK = Seen(State.STUCK, NOW - 0.5)
LOST = Seen(State.LOST, NOW - 0.5)
SILENT = Seen(State.READY, NOW - FRESH_SECONDS - 1)
ABSENT = Seen(State.ABSENT, NOW - 100)


def counted(*values: float) -> Histograms:
    histograms = Histograms([FAMILY])
    for value in values:
        histograms.series("seconds", "200").observe(value)
    return histograms


def test_workers_are_replaced_once_each_within_the_window():
    assert not too_many([10, 11], 2, 12)
    assert too_many([10, 11, 12], 2, 12)
    assert not too_many([10, 11, 12 + CRASH_WINDOW_SECONDS], 2, 12 + CRASH_WINDOW_SECONDS)


def test_a_worker_is_silent_when_it_has_not_said_anything_for_longer_than_one_waits():
    old = Seen(State.STARTING, NOW - 31)
    assert silent([READY, old, ABSENT, LOST], NOW, 30) == [1]


@pytest.mark.parametrize(
    ("workers", "can"),
    [
        ([READY, STUCK], True),
        ([STUCK, LOST, STARTING, ABSENT], False),
        ([SILENT], False),
        ([], False),
    ],
)
def test_a_pod_can_answer_when_one_of_its_workers_can(workers, can):
    assert can_answer(workers, NOW) is can


@pytest.mark.parametrize(
    ("own", "others", "takes"),
    [
        (State.READY, [READY], True),
        (State.READY, [], True),
        (State.STARTING, [READY], True),
        (State.STUCK, [READY, LOST], False),
        (State.LOST, [READY], False),
        (State.STUCK, [STUCK, STARTING], True),
        (State.STUCK, [SILENT], True),
    ],
)
def test_who_is_stuck_leaves_connections_to_others_that_can_answer(own, others, takes):
    assert takes_connections(own, others, NOW) is takes


@pytest.mark.parametrize(
    ("own", "others", "live"),
    [
        (State.READY, [LOST], True),
        (State.LOST, [READY], True),
        (State.LOST, [STUCK, ABSENT], True),
        (State.LOST, [LOST, ABSENT], False),
        (State.LOST, [], False),
    ],
)
def test_a_pod_is_live_until_all_of_its_workers_are_lost(own, others, live):
    assert is_live(own, others) is live


def test_a_worker_sees_the_others_and_not_itself(tmp_path):
    board = Board(3)
    one, other = (Place(board, number, tmp_path / str(number)) for number in (0, 2))
    one.report(State.STUCK)
    other.report(State.READY)
    assert [each.state for each in one.others()] == [State.ABSENT, State.READY, State.ABSENT]
    assert [each.state for each in other.others()] == [State.STUCK, State.ABSENT, State.ABSENT]
    assert can_answer(one.others(), one.others()[1].beat + 1)


def test_a_worker_sees_whether_somebody_still_stands_in_for_it(tmp_path):
    board = Board(2)
    stand_in = Place(board, board.stand_in, tmp_path / "0")
    one = Place(board, 1, tmp_path / "1")
    assert not one.has_stand_in
    stand_in.report(State.STARTING)
    assert one.has_stand_in
    one.report(State.READY)
    assert can_answer(stand_in.others(), stand_in.others()[1].beat)


def test_histograms_of_processes_add_up():
    (metric,) = metrics([FAMILY], summed(counted(0.5, 1.5).snapshot(), counted(9.0).snapshot()))
    values = {(s.name, s.labels.get("le")): s.value for s in metric.samples}
    assert values["seconds_bucket", "1.0"] == 1
    assert values["seconds_bucket", "+Inf"] == values["seconds_count", None] == 3
    assert values["seconds_sum", None] == 11


def test_they_add_up_to_the_same_in_any_order():
    one, two, three = (counted(value).snapshot() for value in (0.1, 0.2, 0.3))
    assert summed(summed(one, two), three) == summed(summed(three, two), one)


def test_what_a_worker_has_counted_stays_when_it_is_gone(tmp_path):
    for process, value in (("1", 0.5), ("2", 1.5)):
        leave_counts(counted(value), tmp_path / process)
        retire(tmp_path / process)
    retire(tmp_path / "3")  # died before it had written anything
    assert [path.name for path in tmp_path.iterdir()] == ["retired"]
    assert gathered(tmp_path) == counted(0.5, 1.5).snapshot()


@pytest.mark.parametrize("files", [0, 1, 2])
def test_a_scrape_while_a_worker_retires_counts_it_once(tmp_path, monkeypatch, files):
    leave_counts(counted(0.5), tmp_path / "1")
    leave_counts(counted(1.5), tmp_path / "2")
    read, steps = sharing._read, []

    def retiring(path):
        """Another process retires the first worker when so many files have been read."""
        if len(steps) == files:
            steps.append("retired")
            retire(tmp_path / "1")
        steps.append(path.name)
        return read(path)

    monkeypatch.setattr(sharing, "_read", retiring)
    assert gathered(tmp_path) == counted(0.5, 1.5).snapshot()
    monkeypatch.undo()
    assert not (tmp_path / "1").exists()
    assert gathered(tmp_path) == counted(0.5, 1.5).snapshot()


def test_a_scrape_between_the_two_steps_of_retiring_counts_it_once(tmp_path):
    path = tmp_path / "1"
    leave_counts(counted(0.5), path)
    retire(path)
    leave_counts(counted(0.5), path)  # as if it had not been taken away yet
    assert gathered(tmp_path) == counted(0.5).snapshot()


def test_on_a_volume_that_takes_nothing_more_all_that_was_written_still_counts(tmp_path):
    leave_counts(counted(0.5), tmp_path / "1")
    for name in ("1", sharing.RETIRED):
        (tmp_path / name).with_suffix(".tmp").mkdir()  # so writing it fails
    leave_counts(counted(0.5, 0.5), tmp_path / "1")
    retire(tmp_path / "1")
    assert gathered(tmp_path) == counted(0.5).snapshot()
