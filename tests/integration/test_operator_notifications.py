"""The operator's process sends what becomes of versions, whatever receivers do, and killed or not.

The registry is pretended, and so are pods; receivers, API server and operator are real.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.control_plane.pretended_kubelet import cannot_load
from pennant_testing.mlflow.recording_server import RecordedAnswer, as_json, recorder, registry
from pennant_testing.slack import SECRET, Anything, slack
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

ADAPTIVE = json.dumps(
    {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "body": [{"type": "TextBlock", "text": "${occasion}: ${model} ${version}"}],
                },
            }
        ],
    }
)
KINDS = ("ModelDeployment", "ModelRegistry", "Event", "ConfigMap", "Deployment", "Service")


class Registry:
    """An MLflow server with one model, whose alias is where `version` says."""

    def __init__(self) -> None:
        self.version = 1

    def answer(self, path: str) -> RecordedAnswer:
        _, _, body = registry(path)
        answer: dict[str, Any] = json.loads(body)
        if isinstance(answer, dict) and "registered_model" in answer:
            aliases = [{"alias": "production", "version": str(self.version)}]
            answer["registered_model"]["aliases"] = aliases
        if isinstance(answer, dict) and "model_version" in answer:
            number = path.rpartition("version=")[2].partition("&")[0]
            stamp = 1000 + int(number)
            answer["model_version"] |= {"version": number, "creation_timestamp": stamp}
        return as_json(answer)


class Scene:
    """One ModelDeployment, its registry, and who is sent what becomes of it."""

    def __init__(self, objects: Objects, team: str, url: str, registry: Registry) -> None:
        self.objects, self.stage, self.alias = objects, Stage(objects, team), registry
        self.team, self.url = team, url

    def notify(self, **receivers: tuple[str, dict[str, Any]]) -> None:
        """By name: the address, and what else its notifier has."""
        notify = []
        for name, (url, given) in receivers.items():
            self.secret(name, url)
            notify.append({"name": name, "urlSecret": {"name": f"{name}-url"}, **given})
        self.stage.registry("default", self.url, notify=notify)

    def secret(self, name: str, url: str) -> None:
        data = {"url": base64.b64encode(url.encode()).decode()}
        meta = {"name": f"{name}-url", "namespace": NAMESPACE}
        self.objects.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})

    def moves_to(self, version: int) -> None:
        self.alias.version = version
        self.stage.serves("rec", str(version))

    def notifiers(self) -> dict[str, dict[str, Any]]:
        live = self.objects.get("ModelRegistry", NAMESPACE, "default") or {}
        return {each["name"]: each for each in live.get("status", {}).get("notifiers", ())}

    def outbox(self) -> list[dict[str, Any]]:
        return list(self.stage.views()["rec"].status.get("notifications", ()))

    def is_nowhere_told(self, running: Operator) -> bool:
        """Nothing of an address is in a log, a metric or an object, Secrets excepted."""
        everything = running.log.read_text() + running.get("/metrics")[1]
        for kind in KINDS:
            for namespace in (self.team, NAMESPACE):
                everything += json.dumps(self.objects.list(kind, namespace))
        return "MARKER" not in everything and SECRET not in everything


@pytest.fixture
def scene(request: pytest.FixtureRequest, objects: Objects) -> Iterator[Scene]:
    registry, team = Registry(), f"notified-{len(request.node.name)}"
    with recorder(registry.answer) as server:
        scene = Scene(objects, team, server.url, registry)
        yield scene
        scene.stage.clear()


def test_each_is_sent_what_it_asks_for_and_a_broken_one_delays_nobody(
    scene: Scene, operator_config: Path, tmp_path: Path
):
    with contextlib.ExitStack() as stack:
        ours, teams = stack.enter_context(slack()), stack.enter_context(slack(Anything()))
        hangs, gone = stack.enter_context(slack()), stack.enter_context(slack())
        hangs.mood, gone.mood = "hangs", "echoes"
        running = stack.enter_context(operator(operator_config, tmp_path, **ALONE))
        scene.stage.registry("default", scene.url)
        scene.stage.apply("rec", "news")
        scene.stage.serves("rec", "1")  # before anybody asks
        scene.notify(
            slack=(ours.url, {}),
            teams=(teams.url, {"format": "JSON", "template": ADAPTIVE, "occasions": ["Serving"]}),
            hangs=(hangs.url, {}),
            gone=(gone.url, {"occasions": ["Serving", "Rejected"]}),
            bad=(ours.url, {"template": '{"text": "${oops}"}'}),
        )
        until(lambda: "template has ${oops}" in scene.notifiers().get("bad", {}).get("message", ""))
        scene.moves_to(2)
        until(lambda: ours.taken)
        assert ours.texts() == [f"{scene.team}/rec: version 2 of news serves, after version 1"]
        until(lambda: teams.taken)
        card = teams.taken[0]["attachments"][0]["content"]
        assert card["body"][0]["text"] == "Serving: news 2"
        assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
        until(lambda: [sorted(each["to"]) for each in scene.outbox()] == [["bad", "gone", "hangs"]])

        scene.stage.kubelet.fates["news", "3"] = cannot_load(message="it <!channel> says why")
        scene.alias.version = 3
        scene.stage.sees("rec", lambda seen: seen.summary == "Rejected")
        until(lambda: len(ours.taken) == 2)
        assert "version 3 of news was rejected (LoadFailed): " in ours.texts()[1]
        assert "&lt;!channel&gt;" in ours.texts()[1]
        scene.moves_to(1)
        until(lambda: len(ours.taken) == 3)
        assert ours.texts()[2].endswith("the traffic went back to version 1 of news from version 2")
        assert len(teams.taken) == 1

        until(lambda: scene.notifiers().get("gone", {}).get("ready") is False)
        shown = scene.notifiers()
        assert "the receiver answers 404: it does not know" in shown["gone"]["message"]
        assert (shown["slack"]["ready"], shown["teams"]["ready"]) == (True, True)
        assert running.metric('pennant_notifications_total{notifier="slack"') == 3
        gone.mood = "well"  # a person put it right; what waited comes
        until(lambda: len(gone.taken) == 2)
        assert scene.is_nowhere_told(running)


def test_whoever_is_killed_right_after_a_message_was_taken_sends_it_once_more(
    scene: Scene, operator_config: Path, tmp_path: Path
):
    with slack() as ours:
        scene.notify(slack=(ours.url, {}))
        scene.stage.apply("rec", "news")
        with operator(operator_config, tmp_path, **ALONE) as first:
            ours.after_answer = first.process.kill
            with contextlib.suppress(TimeoutError):
                until(lambda: scene.stage.look() and first.process.poll() is not None)
        assert len(ours.taken) == 1
        assert [each["to"] for each in scene.outbox()] == [["slack"]]
        ours.after_answer = lambda: None
        with operator(operator_config, tmp_path, **ALONE) as second:
            until(lambda: len(ours.taken) == 2)
            until(lambda: scene.outbox() == [])
            assert ours.taken[0] == ours.taken[1]
            assert scene.is_nowhere_told(second)


def test_whoever_is_killed_right_before_a_message_is_taken_leaves_it_to_the_next(
    scene: Scene, operator_config: Path, tmp_path: Path
):
    with slack() as ours:
        ours.mood = "limits"
        scene.notify(slack=(ours.url, {"occasions": ["Serving"]}))
        scene.stage.apply("rec", "news")
        with operator(operator_config, tmp_path, **ALONE) as first:
            scene.stage.serves("rec", "1")
            until(lambda: ours.tried)
            first.kill()
        assert ours.taken == []
        ours.mood = "well"
        with operator(operator_config, tmp_path, **ALONE) as second:
            until(lambda: scene.outbox() == [])
            assert ours.texts() == [f"{scene.team}/rec: version 1 of news serves"]
            writes = second.rests()
            assert second.rests() == writes
