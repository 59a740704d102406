"""What the commands that only look print, and what lets a version through."""

from __future__ import annotations

from pathlib import Path

import pytest

from pennant_cli.checks.checking import refuses
from pennant_cli.checks.comparing import rows, show_comparison
from pennant_cli.checks.findings import Finding, Verdict, drawn, plain
from pennant_cli.output import Format, show
from pennant_cli.version_names import VersionName
from pennant_testing.command_line import pennant

pytestmark = pytest.mark.unit

SEVEN, EIGHT = VersionName("news", 7), VersionName("news", 8)
ONE = {"metrics": {"auc": "0.8", "ms": "3"}, "tags": {"te\x1b[2Jam": "a\x1b[2J" + "b" * 200}}
OTHER = {"metrics": {"auc": "0.9", "ms": "3"}, "tags": {}}


@pytest.mark.parametrize(
    ("verdicts", "refused"),
    [
        ([], False),
        (["ok", "warning"], False),
        (["ok", "problem"], True),
        (["unknown", "ok"], True),
    ],
)
def test_what_is_not_known_lets_nothing_through(verdicts: list[str], refused: bool):
    findings = [Finding("gate", Verdict(each), "") for each in verdicts]
    assert refuses(findings) is refused


def test_findings_are_lines_whatever_is_in_them_and_never_folded_where_nobody_looks(
    capsys: pytest.CaptureFixture[str],
):
    findings = [
        Finding("bundle", Verdict.OK, "as it was"),
        Finding("gate", Verdict.PROBLEM, "[red]tag\n" + "x" * 300, "set it"),
    ]
    show(plain(findings), Format.TEXT, drawn(findings))
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["RESULT", "WHAT", "MESSAGE"]
    assert first == "ok       bundle  as it was"
    assert second == f"problem  gate    [red]tag {'x' * 300}: set it"
    assert plain(findings)[0] == {
        "what": "bundle",
        "result": "ok",
        "message": "as it was",
        "remedy": "",
    }


def test_only_what_differs_is_shown_unless_all_is_asked_for(capsys: pytest.CaptureFixture[str]):
    compared = [*rows(ONE, OTHER)]
    show_comparison(compared, SEVEN, EIGHT, Format.TEXT, whole=False)
    first, auc, team = capsys.readouterr().out.splitlines()
    assert first.split() == ["news/7", "news/8"]
    assert auc.split() == ["metrics", "auc", "0.8", "0.9"]
    assert team.split()[:4] == ["tags", "te", "[2Jam", "a"]
    assert "\x1b" not in team
    show_comparison(compared, SEVEN, EIGHT, Format.TEXT, whole=True)
    assert ["ms", "3", "3"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    show_comparison([*rows(ONE, ONE)], SEVEN, EIGHT, Format.TEXT, whole=False)
    assert "news/7 and news/8 do not differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (["check", "news"], "names no version"),
        (["check", "news/8", "--alias", "a", "--stage", "Staging"], "either --alias or --stage"),
        (["check", "news/8", "--deadline", "soon"], "'soon' is not a duration"),
        (["check", "news/8", "--self-test", "Maybe"], "--self-test"),
        (["check", "news/8", "--gates", "gates.yaml"], "these gates compare it with the version"),
        (["diff", "news/8", "production"], "version 'production' is no number"),
        (["diff", "news/8"], "VERSION"),
    ],
)
def test_who_asks_for_a_check_wrongly_reads_which_argument_it_was(
    line: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("gates.yaml").write_text("signature: Compatible\n")
    done = pennant(*line)
    assert (done.code, done.out) == (2, "")
    assert problem in " ".join(done.err.replace("│", " ").split())


def test_what_a_log_holds_moves_no_cursor(capsys: pytest.CaptureFixture[str]):
    show({}, Format.TEXT, "one\x1b[2J\ttwo\nthree\ud800")
    lost = "\N{REPLACEMENT CHARACTER}"
    assert capsys.readouterr().out == f"one{lost}[2J\ttwo\nthree{lost}\n"
