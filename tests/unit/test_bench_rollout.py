"""What bench/rollout makes of moments and answers, from made-up ones."""

import pytest

from bench.rollout import plot, report, timeline
from bench.rollout.timeline import Move, Pod, moments_of, of_all, seen_by_clients, spread
from newsreco.loadgen_report import FRESH, POOLED, Row

pytestmark = pytest.mark.unit

FETCHED = {
    "time": 103.0,
    "seconds": 0.5,
    "phases": {"process": 0.1, "import": 0.1, "list": 0.1, "download": 0.2},
}
READY = {
    "time": 105.0,
    "seconds": 1.5,
    "phases": {"process": 0.1, "import": 0.4, "grpc": 0.7, "load": 0.8, "self-test": 0.2},
}


def move(kind=timeline.WEBHOOK, *, asked=100.0, last=(1.0, 2.5), failed=0, **moments):
    moments = {name.replace("_", " "): at for name, at in moments.items()}
    old = dict(zip((FRESH, POOLED), last, strict=True))
    return Move(kind, asked, moments, old, requests=100, failed=failed)


def row(finished, version, kind=FRESH, **changes):
    return Row(finished, finished, kind, 200, version, "", "")._replace(**changes)


def run_of(*moves, date="2026-11-21"):
    return report.Run(date, "make bench-rollout", "a machine", moves)


def report_of(*moves):
    return report.Report((run_of(*moves),))


def test_parts_are_the_time_between_moments_and_add_up_to_the_total():
    found = move(hook=100.25, noticed=100.5, applied=101.0, answered=104.0)
    assert found.parts == {"hook": 0.25, "noticed": 0.25, "applied": 0.5, "answered": 3.0}
    assert found.total == 4.0


def test_a_moment_that_seems_to_precede_its_cause_takes_no_time_and_gives_none_back():
    found = move(applied=101.0, scheduled=100.5, ready=103.0)
    assert found.parts == {"applied": 1.0, "scheduled": 0.0, "ready": 2.0}


def test_the_lines_of_a_pod_tell_its_moments():
    found = moments_of(FETCHED, READY).moments
    assert found == pytest.approx(
        {
            "fetch starts": 102.5,
            "fetch imported": 102.7,
            "fetched": 103.0,
            "serve starts": 103.5,
            "imported": 104.0,
            "loaded": 104.8,
            "self-tested": 105.0,
        }
    )


def test_what_is_installed_after_the_bundle_is_a_part_of_its_own():
    more = {**FETCHED["phases"], "environment": 0.1, "resolve": 2.0, "install": 3.0}
    found = moments_of({"time": 109.1, "seconds": 6.6, "phases": more}, READY).moments
    assert found["fetched"] == pytest.approx(103.0)
    assert found["installed"] == 109.1


def test_a_pod_whose_log_says_nothing_has_no_such_moments():
    assert moments_of(None, None).moments == {}


def test_the_last_pod_counts_and_only_what_is_known_of_all():
    pods = [Pod({"scheduled": 1.0, "ready": 3.0}), Pod({"scheduled": 2.0})]
    assert of_all(pods) == {"scheduled": 2.0}
    assert of_all(pods, min) == {"scheduled": 1.0}


def test_clients_tell_the_first_new_and_the_last_old_answer_by_kind_of_connection():
    rows = [
        row(99, "1"), row(102, "1"), row(103, "2"), row(104, "1", POOLED),
        row(104, "", status=503), row(105, "2"),
    ]  # fmt: skip
    assert seen_by_clients(rows, 100.0, "1", "2") == {
        "answered": 103,
        "last_old": {FRESH: 2.0, POOLED: 4.0},
        "requests": 5,
        "failed": 1,
    }


def test_without_a_new_answer_nothing_was_answered():
    assert seen_by_clients([row(102, "1")], 100.0, "1", "2")["answered"] is None


def test_the_99th_percentile_of_few_is_the_largest():
    assert spread([3.0, 1.0, 2.0]) == (1.0, 2.0, 3.0)
    assert spread([]) is None


def test_budgets_are_held_against_the_median_and_a_miss_is_told():
    slow = [move(answered=105.0), move(answered=104.0), move(answered=105.5, last=(1, 6.9))]
    page = report.markdown(report_of(*slow))
    assert "| with the webhook, first new answer | <= 4.5 s | 5.00 s | **not kept** |" in page
    assert "<= 7.0 s | 2.50 s | kept |" in page


def test_each_series_is_a_column_and_each_part_that_happened_a_row():
    page = report.markdown(
        report_of(
            move(hook=100.25, applied=101.0, answered=104.0),
            move(timeline.BY_HAND, restarted=100.5, answered=106.0, failed=7),
        )
    )
    assert "| moves | 1 | 1 |" in page
    assert "| requests, of which failed | 100, 0 | 100, 7 |" in page
    assert f"| {timeline.PARTS['restarted']} | - | 0.50 / 0.50 / 0.50 |" in page
    assert timeline.PARTS["fetched"] not in page


def test_only_pennants_failed_requests_fail_the_run():
    assert report_of(move(timeline.BY_HAND, failed=7)).failed == 0
    assert report_of(move(failed=2)).failed == 2


def test_what_a_run_did_not_measure_stays_with_its_date_and_what_it_did_is_replaced():
    older = run_of(move(answered=103.0), move(timeline.POLL, answered=110.0), date="2026-11-01")
    newer = run_of(move(answered=104.0), move(timeline.CACHE, answered=104.5))
    found = report.Report((older,)).with_run(newer)
    assert [run.date for run in found.runs] == ["2026-11-21", "2026-11-01"]
    assert [each.total for each in found.series(timeline.WEBHOOK)] == [4.0]
    assert [each.total for each in found.series(timeline.POLL)] == [10.0]
    assert found.with_run(older).runs == (older, run_of(move(timeline.CACHE, answered=104.5)))
    page = report.markdown(found)
    assert "- 2026-11-01, `make bench-rollout`: Pennant, by its poll alone. a machine." in page
    assert "with a cache, first new answer | <= 5.0 s | 4.50 s | kept |" in page


def test_the_plot_has_a_bar_of_its_parts_for_each_move():
    found = [move(applied=101.0, answered=104.0), move(timeline.BY_HAND, answered=106.0)]
    picture = plot.draw(report_of(*found))
    assert picture.count(f"height='{plot.BAR:.1f}'") == 2 + 1 + 2  # parts, and the last old answers
    assert report.TITLES[timeline.BY_HAND] in picture


def test_every_part_has_a_colour():
    assert plot.COLOURS.keys() == timeline.PARTS.keys()
