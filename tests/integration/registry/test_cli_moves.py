"""Moves of an alias from the command line, at real MLflow servers of both majors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_registry.places import rejection_note, serving_note
from pennant_testing.command_line import pennant

pytestmark = pytest.mark.integration


def test_what_a_run_has_logged_is_registered_promoted_and_rolled_back(
    client: MlflowClient, run: Callable[..., str], name: str, tmp_path: Path
):
    first, second = (
        pennant("register", run(f"weights {n}", {"auc": 0.8}), "model.pkl", name, "--tag", "a=b=c")
        for n in (1, 2)
    )
    assert (first.out, second.out) == (f"{name}/1\n", f"{name}/2\n")
    assert client.get_model_version(name, "1").tags["a"] == "b=c"
    gates = tmp_path / "gates.yaml"
    gates.write_text("metrics: [{name: auc, maxDrop: '0.01'}]\n")
    to = ("--alias", "production", "--gates", str(gates))
    done = pennant("promote", f"{name}/1", *to)
    assert done.out == f"alias production of {name}: version 1 (it held none before)\n"
    moved = pennant("promote", f"{name}/2", *to, "--gate", "auc>=0.8", "-o", "json").facts
    assert (moved["model"], moved["alias"], moved["version"], moved["previous"]) == (
        *(name, "production"),
        *(2, 1),
    )
    back = pennant("rollback", f"{name}@production", "--reason", "worse")
    assert f"alias production of {name}: version 1 (before: version 2)\n" in back.out
    assert f"pennant release {name}@production --version 2" in back.out
    held = pennant("promote", f"{name}/2", *to)
    assert (held.code, held.out) == (3, "")
    assert "rolled back" not in held.err
    assert "worse; release it first" in held.err

    listed = pennant("history", f"{name}@production")
    whats = [line.split()[1:3] + line.split()[4:] for line in listed.out.splitlines()[1:]]
    assert whats == [["1", "2", "rolled", "back"], ["2", "1", "promoted"], ["1", "-", "promoted"]]
    recorded = pennant("history", f"{name}@production", "-o", "json").facts
    assert [move["rollback"] for move in recorded] == [True, False, False]


def test_what_gates_refuse_goes_out_with_an_override_that_is_recorded(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    registered(metrics={"auc": 0.7})
    line = ("promote", f"{name}/1", "--alias", "live", "--gate", "auc>=0.8")
    refused = pennant(*line)
    assert (refused.code, refused.out) == (3, "")
    assert refused.err == (
        f"error: version 1 of {name}: metric auc is 0.7, and must be at least 0.8\n"
    )
    assert pennant_registry.resolve(name, "live") is None
    done = pennant(*line, "--override", "the old one is down")
    assert "overridden: the old one is down (metric auc is 0.7" in done.out
    assert "promoted: the old one is down" in pennant("history", f"{name}@live").out


def test_a_hold_keeps_everybody_from_promoting_until_it_is_released(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    registered()
    made = pennant("hold", f"{name}@live", "--reason", "election night", "--until", "2h")
    assert f"alias live of {name}: held in the registry by " in made.out
    assert made.out.endswith(": election night\n")
    assert pennant("promote", f"{name}/1", "--alias", "live").code == 3
    ended = pennant("release", f"{name}@live", "-o", "yaml")
    assert "reason: election night\n" in ended.out
    assert pennant("promote", f"{name}/1", "--alias", "live").code == 0
    nothing = pennant("release", f"{name}@live")
    assert (nothing.code, nothing.out) == (1, "")
    assert "there is no hold on alias live" in nothing.err
    assert pennant("hold", f"{name}@live", "--reason", "slow", "--version", "1").out.startswith(
        f"version 1 for alias live of {name}: held"
    )


def test_a_stage_takes_the_place_of_an_alias(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    registered()
    registered()
    for number in (1, 2):
        assert pennant("promote", f"{name}/{number}", "--stage", "Production").code == 0
    back = pennant("rollback", name, "--stage", "Production")
    assert f"pennant release {name} --stage Production --version 2" in back.out
    assert pennant("release", name, "--stage", "Production", "--version", "2").code == 0
    facts = pennant("history", name, "--stage", "Production", "-o", "json").facts
    assert [(move["version"], move["rollback"]) for move in facts] == [
        *((1, True), (2, False)),
        (1, False),
    ]


def test_a_pipeline_waits_for_what_a_cluster_says_and_reads_later_what_served(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    registered()
    line = ("promote", f"{name}/1", "--alias", "live")
    assert pennant(*line).code == 0
    wait = ("--wait", "20s", "--where", "eu-1/team/news")
    tag, now = "pennant.eu-1.team.news", datetime.now(UTC).isoformat()
    client.set_model_version_tag(name, "1", tag, rejection_note("LoadFailed", "no such file", now))
    rejected = pennant(*line, *wait)
    assert (rejected.code, rejected.out) == (3, "")
    assert "LoadFailed: no such file" in rejected.err
    client.set_model_version_tag(name, "1", tag, serving_note(now, None, good=True))
    assert pennant(*line, *wait).code == 0
    later = ("history", f"{name}@live", "--at", "2099-01-01T00:00Z")
    first, promoted, served = pennant(*later).out.splitlines()
    assert first == f"alias live of {name} at 2099-01-01T00:00:00Z: version 1"
    assert promoted.startswith("promoted by ")
    assert served == "served at eu-1/team/news: version 1"
    assert pennant(*later, "-o", "json").facts["served"] == {"eu-1/team/news": 1}
    before = pennant("history", f"{name}@live", "--at", "2020-01-01").out
    assert "no version that is known of" in before
    assert "in doubt: no record says how alias live got where it was" in before


def test_what_is_not_there_is_told_with_what_to_do(client: MlflowClient, name: str):
    missing = pennant("promote", f"{name}/1", "--alias", "live")
    assert (missing.code, missing.out) == (1, "")
    assert "give the number of a registered version" in missing.err
    assert "there is no run" in pennant("register", "0" * 32, "model", name).err
    nothing = pennant("history", f"{name}@live")
    assert nothing.code == 0
    assert f"no move of alias live of {name} is recorded: moves by MLflow's own" in nothing.out
    assert pennant("history", f"{name}@live", "-o", "json").facts == []
