"""What several workers share, and when replacing them is no use."""

from __future__ import annotations

import json

import pytest

from pennant_serving.histograms import Family, Histograms, summed
from pennant_serving.sharing import others, retire
from pennant_serving.workers import WINDOW, too_many

pytestmark = pytest.mark.unit

FAMILY = Family("seconds", "Of something.", ("code",), (1.0, 2.0))


def counted(*values: float) -> Histograms:
    histograms = Histograms([FAMILY])
    for value in values:
        histograms.series("seconds", "200").observe(value)
    return histograms


def test_workers_are_replaced_once_each_within_the_window():
    assert not too_many([10, 11], 2, 12)
    assert too_many([10, 11, 12], 2, 12)
    assert not too_many([10, 11, 12 + WINDOW], 2, 12 + WINDOW)


def test_histograms_of_processes_add_up():
    total = summed([FAMILY], counted(0.5, 1.5).snapshot(), counted(9.0).snapshot())
    (metric,) = total.collect()
    values = {(s.name, s.labels.get("le")): s.value for s in metric.samples}
    assert values["seconds_bucket", "1.0"] == 1
    assert values["seconds_bucket", "+Inf"] == values["seconds_count", None] == 3
    assert values["seconds_sum", None] == 11


def test_what_a_worker_has_counted_stays_when_it_is_gone(tmp_path):
    for process, value in ((1, 0.5), (2, 1.5)):
        (tmp_path / str(process)).write_text(json.dumps(counted(value).snapshot()))
        retire(tmp_path, process, [FAMILY])
    retire(tmp_path, 3, [FAMILY])  # died before it had written anything
    assert [path.name for path in tmp_path.iterdir()] == ["retired"]
    assert summed([FAMILY], *others(tmp_path)).snapshot() == counted(0.5, 1.5).snapshot()
