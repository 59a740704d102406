"""A registry in trouble takes nothing with it: what befalls it, and what everybody is told.

All cases go through one story side by side, each behind a lying proxy and a ModelRegistry of its
own, under one operator: version 1 of everything serves; `rolling` is halfway to version 2; the
trouble begins; the operator is killed and starts anew in it; `young` is applied; the pods of
version 2 become ready; the trouble ends; `steady` is promoted to version 2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.control_plane.pretended_kubelet import coming
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.lying_proxy import Proxy, Trouble
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

# What befalls it: what its ModelRegistry then says. Nothing, where MLflow itself answers.
CASES: dict[str, tuple[Trouble, str | None]] = {
    "down": (lying_proxy.down, "see that MLflow runs there, and that spec.url is right"),
    "slow": (lying_proxy.slow, "did not answer within 5 s: see that MLflow runs"),
    "error-500": (lying_proxy.error_500, "the database is locked'. See that spec.url is"),
    "wrong-host": (lying_proxy.wrong_host, "start it with --allowed-hosts 127.0.0.1"),
    "unauthorized": (lying_proxy.unauthorized, "name a Secret with MLFLOW_TRACKING_USERNAME"),
    "login-page": (lying_proxy.login_page, "answers 200, and not as MLflow does: '<html>"),
    "cut-off": (lying_proxy.cut_off, "see that MLflow runs there"),
    "half-json": (lying_proxy.half_json, "answers 200, and not as MLflow does"),
    "second-page": (lying_proxy.second_page_fails, None),
    "empty-database": (lying_proxy.empty_database, None),
    "page-skips": (lying_proxy.page_skips, None),
}
TROUBLES = [case for case, (_, message) in CASES.items() if message]
# What is asked for together is not answered, or not all of it, and what is asked for alone is.
ALONE_ANSWERED = ("second-page", "page-skips")
SEARCHED = ("second-page", "page-skips", "empty-database")
# These are never registered. With them a poll is one search, without them one request a model.
MORE = ("absent", "other")


@dataclass
class Story:
    """The stage and what was seen on it."""

    stage: Stage
    mlflow: Mlflow
    prefix: str
    proxies: dict[str, Proxy]
    before: dict[str, View] = field(default_factory=dict)
    during: dict[str, View] = field(default_factory=dict)
    finished: dict[str, View] = field(default_factory=dict)
    after: dict[str, View] = field(default_factory=dict)
    in_the_end: dict[str, View] = field(default_factory=dict)
    children_before: dict[str, Any] = field(default_factory=dict)
    children_during: dict[str, Any] = field(default_factory=dict)
    conditions_during: dict[str, dict[str, Any]] = field(default_factory=dict)
    conditions_after: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, *models: str) -> None:
        for case in CASES:
            for model in (*models, *(MORE if case in SEARCHED else ())):
                self.stage.apply(f"{case}-{model}", f"{self.prefix}-{model}", registry=case)

    def promote(self, model: str) -> None:
        name = f"{self.prefix}-{model}"
        self.mlflow.promote(name, self.mlflow.register(name))

    def all_serve(self, version: str, model: str) -> bool:
        return self.stage.all_serve(version, [f"{case}-{model}" for case in CASES])

    def registries(self) -> dict[str, dict[str, Any]]:
        """The condition of every ModelRegistry."""
        live = self.stage.objects.list("ModelRegistry", NAMESPACE)
        return {each["metadata"]["name"]: View(each).condition("Ready") for each in live}

    def all_report_trouble(self) -> bool:
        conditions = self.registries()
        return all(conditions[case].get("reason") == "NotAnswering" for case in TROUBLES)

    def all_failed(self, anew: Operator) -> bool:
        """The new operator has asked every registry, got what the old one got, and said so."""
        log, seen = anew.log.read_text(), self.stage.views()
        asked = all(f"registry {case}: " in log for case in TROUBLES)
        followers_know = all(seen[f"{case}-young"].reason("AliasInSync") for case in TROUBLES)
        empty = seen["empty-database-young"].reason("AliasInSync") == "ModelNotFound"
        alone_answered = all(seen[f"{case}-young"].candidate == "1" for case in ALONE_ANSWERED)
        return asked and followers_know and empty and alone_answered

    def halfway(self) -> bool:
        seen = self.stage.look()
        return all(seen[f"{case}-rolling"].candidate == "2" for case in CASES)


@pytest.fixture(scope="module")
def story(
    objects: Objects,
    operator_config: Path,
    mlflow_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    folder, prefix = tmp_path_factory.mktemp("trouble"), f"t{uuid4().hex[:6]}"
    stage = Stage(objects, "trouble")
    with contextlib.ExitStack() as opened:
        opened.callback(stage.clear)
        proxies = {c: opened.enter_context(lying_proxy.lying_proxy(mlflow_url)) for c in CASES}
        story = Story(stage, Mlflow(mlflow_url), prefix, proxies)
        with operator(operator_config, folder, PENNANT_WRITE_RATE="500", **ALONE) as first:
            _begins(story, first)
            first.kill()
        with operator(operator_config, folder, PENNANT_WRITE_RATE="500") as second:
            _goes_on(story, second)
            yield story


def _begins(story: Story, running: Operator) -> None:
    for case, proxy in story.proxies.items():
        story.stage.registry(case, proxy.url)
    for model in ("steady", "rolling", "young"):
        story.promote(model)
    story.apply("steady", "rolling")
    until(lambda: story.all_serve("1", "steady") and story.all_serve("1", "rolling"), 180)
    story.stage.kubelet.fates[f"{story.prefix}-rolling", "2"] = coming()
    story.promote("rolling")
    until(story.halfway)
    running.rests()  # the pods that are coming are known
    story.before, story.children_before = story.stage.look(), story.stage.written()
    for case, (trouble, _) in CASES.items():
        story.proxies[case].fail(trouble)
    until(story.all_report_trouble)


def _goes_on(story: Story, anew: Operator) -> None:
    story.apply("young")
    until(lambda: story.all_failed(anew))
    anew.rests()
    story.conditions_during = story.registries()
    story.during, story.children_during = story.stage.look(), story.stage.written()
    story.stage.kubelet.fates.clear()
    until(lambda: story.all_serve("2", "rolling"))
    story.finished = story.stage.views()
    for proxy in story.proxies.values():
        proxy.recover()
    until(lambda: all(condition["status"] == "True" for condition in story.registries().values()))
    until(lambda: story.all_serve("1", "young"))
    story.conditions_after, story.after = story.registries(), story.stage.views()
    story.promote("steady")
    until(lambda: story.all_serve("2", "steady"))
    story.in_the_end = story.stage.views()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", ["steady", "rolling"])
def test_nothing_is_deleted_scaled_or_rolled(story: Story, case: str, model: str):
    name = f"{case}-{model}"
    assert story.children_during[name] == story.children_before[name]


@pytest.mark.parametrize("case", CASES)
def test_what_serves_goes_on_and_says_so(story: Story, case: str):
    seen = story.during[f"{case}-steady"]
    assert (seen.serving, seen.condition("Ready")["status"]) == ("1", "True")
    assert seen.condition("Stalled")["status"] == "False"


@pytest.mark.parametrize("case", CASES)
def test_a_rollout_under_way_is_finished_from_what_is_recorded(story: Story, case: str):
    assert story.during[f"{case}-rolling"].candidate == "2"
    assert story.finished[f"{case}-rolling"].serving == "2"


@pytest.mark.parametrize("case", TROUBLES)
def test_the_modelregistry_says_what_is_the_case_and_what_to_do(story: Story, case: str):
    condition = story.conditions_during[case]
    assert (condition["status"], condition["reason"]) == ("False", "NotAnswering")
    assert CASES[case][1] in condition["message"]


@pytest.mark.parametrize("case", [*TROUBLES, *ALONE_ANSWERED])
def test_no_modeldeployment_is_written_because_a_registry_comes_and_goes(story: Story, case: str):
    """Law 7, for the trouble's beginning, a restart in it, and its end."""
    seen = (story.before, story.during, story.after)
    before, during, after = (views[f"{case}-steady"].live for views in seen)
    assert before["status"] == during["status"] == after["status"]
    versions = {each["metadata"]["resourceVersion"] for each in (before, during, after)}
    assert len(versions) == 1
    rolling = f"{case}-rolling"
    assert story.during[rolling].reasons() == story.before[rolling].reasons()


def test_an_empty_database_is_told_and_believed_by_nobody(story: Story):
    seen = story.during["empty-database-steady"]
    assert seen.reason("AliasInSync") == "ModelNotFound"
    assert "version 1 goes on serving" in seen.condition("AliasInSync")["message"]
    # MLflow answers, and answers this.
    assert story.conditions_during["empty-database"]["status"] == "True"
    assert story.after["empty-database-steady"].reason("AliasInSync") == "InSync"


@pytest.mark.parametrize("case", TROUBLES)
def test_a_new_modeldeployment_waits_for_the_registry_without_being_stalled(
    story: Story, case: str
):
    seen = story.during[f"{case}-young"]
    assert (seen.summary, seen.condition("Stalled")["status"]) == ("Waiting", "False")
    assert seen.reason("AliasInSync") == "WaitingForRegistry"
    assert f"{case}-young" not in story.children_during


@pytest.mark.parametrize("case", CASES)
def test_after_recovery_it_goes_on_by_itself(story: Story, case: str):
    assert story.conditions_after[case]["reason"] == "Answering"
    assert story.after[f"{case}-young"].serving == "1"
    assert story.in_the_end[f"{case}-steady"].serving == "2"
