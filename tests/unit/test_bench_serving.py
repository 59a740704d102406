"""The serving benchmark's arithmetic: what the load generator told, ratios, tables, the plot."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from bench.serving import plot
from bench.serving.load import Load, parse
from bench.serving.peers import PEERS
from bench.serving.protocols import INVOCATIONS, PLAIN, V2, V2_COLUMNS
from bench.serving.report import Report, Setting, markdown, to_json
from bench.serving.rounds import combined
from bench.serving.run import Plan, Point, Result
from bench.serving.server import Memory, Server
from bench.serving.workload import FEATURES
from pennant_dev.shell import DevError

pytestmark = pytest.mark.unit

WRK_OUTPUT = """Running 2s test @ http://127.0.0.1:8080
  1 threads and 64 connections
Requests/sec:   1000.00

{"requests": 2000, "seconds": 2.0, "p50": 1.5, "p99": 9.25, "status": 1, "wrong": 2, "lost": 3}
"""


def load(rate=1000, *, failed=0, busy=0.5):
    return Load(requests=rate * 2 + failed, failed=failed, seconds=2, p50=1.5, p99=9.25, busy=busy)


def result(name, rate, against=None, **more):
    points = (Point(1, 64, load(rate, **more)), Point(100, 64, load(rate // 10)))
    phases = {} if against else {"import": 0.4, "load": 0.9}
    idle, loaded = Memory(70.0, 90.0), Memory(80.0, 100.0)
    return Result(name, against, True, {"thing": "1.2"}, 1.5, phases, idle, loaded, points)


def report(*results):
    plan = Plan(connections=(16, 64))
    return Report(Setting("2026-11-21", "make", "2 cores", "wrk 4.1"), plan, results)


OURS, SLOW = result("Pennant", 5000), result("Slow & old", 250, "Pennant")
BROKEN = Result("Broken", "Pennant", trouble="no such module")


def test_lost_wrong_and_refused_requests_all_failed():
    found = parse(WRK_OUTPUT, busy=0.4)
    assert (found.failed, found.requests, found.busy) == (6, 2000, 0.4)
    assert (found.p50, found.p99) == (1.5, 9.25)
    assert found.rate == (2000 - 6) / 2


def test_rounds_are_one_result_of_all_requests_and_the_median_rounds_percentiles():
    slow, quick, usual = (
        replace(result("Pennant", rate), start=start, points=(Point(1, 64, load),))
        for rate, start, load in (
            (0, 1.9, Load(100, 1, 2, 9.0, 90.0, 0.4)),
            (0, 1.4, Load(400, 0, 2, 2.0, 5.0, 0.9)),
            (0, 1.6, Load(300, 0, 2, 3.0, 7.0, 0.6)),
        )
    )
    heavy = replace(slow, loaded=Memory(95.0, 120.0))
    found = combined([heavy, quick, usual])
    assert found.at(1, 64) == Load(800, 1, 6, 3.0, 7.0, 0.9)
    assert (found.start, found.loaded) == (1.4, Memory(95.0, 120.0))


def test_a_server_that_was_in_trouble_in_one_round_was_in_trouble():
    assert combined([OURS, BROKEN, OURS]).trouble == "no such module"


def test_a_load_generator_that_tells_nothing_is_trouble():
    with pytest.raises(DevError, match="wrk told no result: unable to connect"):
        parse("unable to connect", busy=0)


@pytest.mark.parametrize("protocol", [V2, V2_COLUMNS], ids=["tensor", "columns"])
def test_the_tensors_of_a_request_hold_every_number_once(protocol):
    rows = [[float(row * FEATURES + place) for place in range(FEATURES)] for row in range(3)]
    inputs = json.loads(protocol.request(rows, "7"))["inputs"]
    held = sorted(number for tensor in inputs for number in tensor["data"])
    assert held == [float(number) for number in range(3 * FEATURES)]
    assert {tensor["shape"][0] for tensor in inputs} == {3}


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        (V2, {"id": "7", "outputs": [{"name": "predict", "data": [1, 0]}]}),
        (INVOCATIONS, {"predictions": [1, 0]}),
        (PLAIN, [1, 0]),
    ],
)
def test_predictions_are_found_in_each_servers_answer(protocol, answer):
    assert protocol.read(json.dumps(answer).encode()) == [1, 0]


def test_an_answer_without_predictions_is_told():
    with pytest.raises(ValueError, match="no predictions in"):
        V2.read(b'{"error": "no"}')


def test_a_ratio_is_to_ours_asked_in_the_same_way():
    found = report(OURS, SLOW, BROKEN)
    assert found.ratio(SLOW, 1, 64) == 20
    assert found.ratio(OURS, 1, 64) is None
    assert found.ratio(BROKEN, 1, 64) is None
    assert found.ratio(SLOW, 1, 16) is None


def test_every_peer_is_held_against_one_of_ours():
    ours = {peer.name for peer in PEERS if peer.against is None}
    assert {peer.against for peer in PEERS} - {None} == ours


def test_the_tables_tell_figures_ratios_failures_and_troubles():
    text = markdown(report(OURS, result("Slow", 250, "Pennant", failed=3), BROKEN))
    assert "without any answer within their seconds: 0" in text
    assert "| Slow<br><small>thing 1.2</small> | 250, 1.5, 9.2, **20x** |" in text
    assert "| Slow | - | 250, 9.2, 3 failed |" in text
    assert "requests lost or answered wrongly: 3" in text
    assert "- Broken: no such module" in text
    assert "| 1.50 | 70 (90) | 80 (100) |" in text
    assert "| Pennant | 0.40 | 0.90 | 1.50 |" in text


def test_the_phases_of_a_start_are_those_that_a_log_tells(tmp_path):
    log = tmp_path / "server.log"
    server = Server(process=None, begun=0, port=0, log=log, mark="")
    log.write_text("hello\n")
    assert server.phases() == {}
    log.write_text('hello\n{"event": "ready", "seconds": 1, "phases": {"load": 0.5}}\n')
    assert server.phases() == {"load": 0.5}


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    lines = markdown(report(OURS, SLOW, BROKEN)).splitlines()
    tables, before = [], ""
    for line in lines:
        if line.startswith("|"):
            tables = [*tables, []] if not before.startswith("|") else tables
            tables[-1].append(line.count("|"))
        before = line
    assert len(tables) == 4
    assert all(len(set(table)) == 1 for table in tables)


def test_the_load_generators_share_of_its_core_is_told():
    text = markdown(report(result("Pennant", 5000, busy=0.83)))
    assert "its core was busy at most 83%" in text


def test_all_figures_go_into_the_json():
    found = json.loads(json.dumps(to_json(report(OURS, BROKEN))))
    assert found["results"][0]["points"][0]["load"]["p99"] == 9.25
    assert found["results"][1]["trouble"] == "no such module"


def test_the_plot_has_a_bar_for_each_figure_and_says_what_is_missing():
    root = ET.fromstring(plot.draw(report(OURS, SLOW, BROKEN)))
    svg = "{http://www.w3.org/2000/svg}"
    words = [each.text for each in root.iter(f"{svg}text")]
    assert {"Pennant", "Slow & old", "5,000", "250 (Pennant 20x)", "1.5 s"} <= set(words)
    assert {"100", "1,000"} <= set(words)  # the scale
    assert words.count("not measured") == 4
    assert len(list(root.iter(f"{svg}rect"))) == 1 + 2 * 4  # the paper, and four bars for each


def test_a_longer_bar_is_a_larger_figure():
    first, *_ = plot._rates(report(OURS, SLOW))
    assert first.length(5000) > first.length(250) > 0


def test_a_plot_without_any_figure_can_be_drawn():
    ET.fromstring(plot.draw(report(BROKEN)))
