"""`pennant doctor`: at real servers of both majors, and at what answers in their place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_cli.checks.doctor import models, rights, server
from pennant_cli.checks.doctor.asking import Server
from pennant_testing.command_line import pennant
from pennant_testing.mlflow.artifact_server import answer, serving

pytestmark = pytest.mark.integration


def examined(*arguments: str) -> dict[str, dict[str, str]]:
    return {each["what"]: each for each in pennant("doctor", *arguments, "-o", "json").facts}


def test_at_a_server_that_lets_everybody_do_everything_all_is_well(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    pennant_registry.promote(registered(), name, "live")
    found = examined(name)
    assert {each["result"] for each in found.values()} == {"ok"}
    assert "MLflow " in found["server"]["message"]
    assert "live (" in found["aliases"]["message"] or "more" in found["aliases"]["message"]
    assert found["artifacts"]["message"].endswith("which MLflow itself hands out")
    assert found["download"]["message"] == f"files of {name}/1: they were listed"
    assert "nobody" in found["writing"]["message"]
    assert pennant("doctor", name).code == 0


def test_a_model_that_is_not_there_or_whose_files_are_gone_is_a_problem(
    client: MlflowClient, run: Callable[..., str], name: str
):
    missing = pennant("doctor", name)
    assert missing.code == 3
    assert f"there is no model {name}: register a version of it" in missing.out
    client.create_registered_model(name)
    assert f"{name} has no version" in examined(name)["model"]["message"]
    source = run()
    client.create_model_version(name, f"runs:/{source}/gone.pkl", source)
    assert examined(name)["download"]["result"] == "problem"


def test_what_holds_no_registry_is_told_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path))
    found = examined()
    assert [*found] == ["address"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    found = examined()
    assert [*found] == ["server"]
    assert found["server"]["message"].startswith("no answer: ")


@pytest.mark.parametrize(
    ("status", "text", "result", "words"),
    [
        (200, "3.9.0", "ok", "MLflow 3.9.0 answers at "),
        (200, "2.2.1", "warning", "which has no aliases"),
        (200, "4.0.0", "warning", "newer than what Pennant is tested with"),
        (200, "<html>Log in", "problem", "what answers there is not MLflow (200)"),
        (401, "You are not", "problem", "it asks for an account (401), and none is named here"),
        (403, "Invalid Host header", "problem", "have 127.0.0.1:"),
        (404, "", "problem", "is a path missing"),
        (503, "", "problem", "it is in trouble (503)"),
    ],
)
def test_what_answers_in_its_place_is_told_with_what_to_change(
    status: int, text: str, result: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    for variable in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    with serving(answer(status, text)) as (url, _):
        found = server.reached(Server(url))
    assert (found.verdict, words in f"{found.message}: {found.remedy}") == (result, True)


def test_an_account_that_is_refused_is_to_be_corrected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "old")
    with serving(answer(401, "")) as (url, asked):
        assert server.reached(Server(url)).remedy.startswith("correct MLFLOW_TRACKING_USERNAME")
    assert asked[0].headers["Authorization"] == "Bearer old"
    with serving(answer(404, "")) as (url, _):
        assert rights.writing(Server(url), "news").verdict == "unknown"


def hook(status: str = "ACTIVE", *actions: str) -> dict[str, Any]:
    events = [{"entity": "MODEL_VERSION_ALIAS", "action": action} for action in actions]
    return {"name": "w", "url": "https://hooks.example.com", "events": events, "status": status}


@pytest.mark.parametrize(
    ("status", "hooks", "result", "words"),
    [
        (404, [], "ok", "the operator polls"),
        (403, [], "unknown", "only spec.webhook.register needs that"),
        (500, [], "problem", "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"),
        (200, [], "ok", "there is none"),
        (200, [hook("ACTIVE", "CREATED", "DELETED")], "ok", "it sends moves of aliases to https:"),
        (200, [hook("ACTIVE", "CREATED")], "warning", "add model_version_alias.created"),
        (200, [hook("DISABLED", "CREATED", "DELETED")], "warning", "it sends nothing to https:"),
    ],
)
def test_webhooks_that_come_or_do_not(
    status: int, hooks: list[dict[str, Any]], result: str, words: str
):
    with serving(answer(status, json.dumps({"webhooks": hooks}))) as (url, _):
        (found,) = server.webhooks(Server(url))
    assert (found.verdict, words in f"{found.message}: {found.remedy}") == (result, True)


def registered_model(name: str, stage: str = "None", *aliases: str) -> Any:
    version = SimpleNamespace(current_stage=stage)
    by_alias = dict.fromkeys(aliases, "1")
    return SimpleNamespace(name=name, latest_versions=[version], aliases=by_alias)


def test_names_and_pointers_that_pennant_cannot_follow_are_told():
    *_, by_stage = models.about([registered_model("a", "Production"), registered_model("b")])
    assert (by_stage.verdict, "a are in stages" in by_stage.message) == ("warning", True)
    *_, odd = models.about([registered_model("a", "None", "größte", "live")])
    assert "and not größte" in odd.message
    *_, names, unset = models.about([registered_model("team/news"), registered_model("x" * 251)])
    assert "'team/news', 'xxx" in names.message
    assert unset.remedy == "pennant promote MODEL/VERSION --alias production"
    (nothing,) = models.about([])
    assert nothing.verdict == "unknown"
