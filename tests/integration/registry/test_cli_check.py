"""`pennant check` and `pennant diff` at real MLflow servers, with the server's own code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_testing.command_line import pennant

pytestmark = pytest.mark.integration

ADAPTER = """
import os, signal, sys, time
class Adapter:
    input_example = [{"age": 1}]
    @classmethod
    def load(cls, path):
        how = (path / "model.pkl").read_text()
        print("loading", how)
        if how == "hang": time.sleep(600)
        if how == "die": os.kill(os.getpid(), signal.SIGKILL)
        if how == "raise": raise RuntimeError("its weights are of another shape")
        assert not [name for name in os.environ if name.startswith("MLFLOW_TRACKING")]
        return cls()
    def predict(self, rows):
        return [1.0 for _ in rows]
"""
MLMODEL = """
flavors:
  python_function: {{loader_module: nowhere, python_version: {python}}}
signature:
  inputs: '[{{"name": "age", "type": "{type}", "required": true}}]'
"""
on_mlflow3 = pytest.mark.parametrize("client", ["mlflow_url"], indirect=True)


@pytest.fixture
def checked(
    client: MlflowClient, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, dict[str, str]]]:
    """Registers a file that says how it is loaded, and checks it; what was found, by name."""
    module = f"adapter_{name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(ADAPTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def check(how: str, *options: str) -> dict[str, Any]:
        run = client.create_run("0").info.run_id
        (tmp_path / "model.pkl").write_text(how)
        client.log_artifact(run, str(tmp_path / "model.pkl"))
        number = pennant_registry.register(run, "model.pkl", name)
        adapter = ("--adapter", f"{module}:Adapter")
        done = pennant("check", f"{name}/{number}", *adapter, *options, "-o", "json")
        findings = {each["what"]: each for each in done.facts["findings"]}
        assert done.facts["passed"] is (done.code == 0)
        return findings | {"code": done.code, "err": done.err}

    return check


def test_a_version_that_answers_its_example_passes(checked: Callable[..., Any]):
    found = checked("fine", "--alias", "live")
    assert found["code"] == 0
    assert found["hold"]["result"] == found["bundle"]["result"] == "ok"
    assert found["environment"]["message"] == "what the bundle asks for is installed here"
    assert found["self-test"]["message"].startswith("passed; adapter ")


@on_mlflow3
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "LoadFailed: "),
        ("die", "its process ended with SIGKILL"),
        ("hang", "it was not done after 3s"),
    ],
)
def test_what_does_not_load_here_is_refused_and_what_it_wrote_is_shown(
    checked: Callable[..., Any], how: str, message: str
):
    found = checked(how, *(("--deadline", "3s") if how == "hang" else ()))
    assert (found["code"], found["self-test"]["result"]) == (3, "problem")
    assert found["self-test"]["message"].startswith(message)
    assert ("its weights are of another shape" in found["err"]) is (how == "raise")


@on_mlflow3
def test_without_what_the_server_needs_nothing_is_known_and_what_to_install_is_told(
    checked: Callable[..., Any], tmp_path: Path
):
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError(name='starlette')")
    found = checked("fine")
    assert (found["code"], found["self-test"]["result"]) == (3, "unknown")
    assert found["self-test"]["remedy"] == "pip install 'pennant[cli,serving]'"


@on_mlflow3
def test_an_adapter_that_nobody_knows_is_told_by_its_name(checked: Callable[..., Any]):
    found = checked("fine", "--adapter", "nosuch")
    assert found["code"] == 3
    assert "PENNANT_ADAPTER='nosuch' is none of" in found["self-test"]["message"]


@on_mlflow3
def test_what_holds_it_and_what_its_bytes_have_become_are_found_before_it_is_loaded(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    number = registered()
    pennant_registry.hold(name, "live", "election night")
    client.set_model_version_tag(name, str(number), "pennant.sha256", "0" * 64)
    done = pennant("check", f"{name}/{number}", "--alias", "live", "--gate", "auc>=0.5")
    assert done.code == 3
    _, hold, gate, bundle = done.out.splitlines()
    assert hold.startswith("problem")
    assert hold.endswith(f": election night: pennant release {name}@live")
    assert "metric auc is not logged for it" in gate
    assert "register the artifact anew" in bundle


@pytest.fixture
def model(client: MlflowClient, name: str, tmp_path: Path) -> Callable[..., int]:
    """Registers an MLflow model whose column is of this type, made by this Python."""

    def make(column: str, python: str, *requirements: str, **params: str) -> int:
        run = client.create_run("0").info.run_id
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        (folder / "MLmodel").write_text(MLMODEL.format(type=column, python=python))
        (folder / "requirements.txt").write_text("\n".join(requirements))
        client.log_artifacts(run, str(folder), "model")
        client.log_metric(run, "auc", len(column) / 10)
        for key, value in params.items():
            client.log_param(run, key, value)
        return pennant_registry.register(run, "model", name, {"made-by": python})

    return make


@on_mlflow3
def test_another_python_is_a_warning_and_where_it_is_to_be_strict_a_refusal(
    client: MlflowClient, model: Callable[..., int], name: str
):
    number = model("long", "3.7.1")
    for check, result in (("Warn", "warning"), ("Strict", "problem")):
        line = ("check", f"{name}/{number}", "--environment-check", check, "-o", "json")
        found = {each["what"]: each for each in pennant(*line).facts["findings"]}
        assert found["environment"]["result"] == result
        assert "the bundle asks for python 3.7.1 (here " in found["environment"]["message"]
        assert found["self-test"]["message"].startswith("LoadFailed: ")


def test_what_differs_between_two_versions_is_shown_by_name(
    client: MlflowClient, model: Callable[..., int], name: str
):
    model("long", "3.11.1", "numpy==2.1", "scikit_learn", C="1", kind="tree")
    model("double", "3.12.1", "numpy==2.2", "scikit-learn", C="2", kind="tree")
    pennant_registry.promote(2, name, "live")
    facts = pennant("diff", f"{name}/1", "2", "-o", "json").facts
    assert facts.pop("bundle").keys() == {"run", "sha256", "source"}
    assert facts == {
        "from": f"{name}/1",
        "to": f"{name}/2",
        "metrics": {"auc": ["0.4", "0.6"]},
        "params": {"C": ["1", "2"]},
        "tags": {"made-by": ["3.11.1", "3.12.1"]},
        "flavors": {},
        "signature": {"input age": ["long", "double"]},
        "requirements": {"numpy": ["==2.1", "==2.2"]},
    }
    whole = pennant("diff", f"{name}/1", f"{name}/2", "--all", "-o", "json").facts
    assert whole["requirements"]["scikit-learn"] == ["any", "any"]
    missing = pennant("diff", f"{name}/1", "3")
    assert (missing.code, missing.out) == (1, "")


@on_mlflow3
def test_a_bundle_that_is_one_file_has_neither_flavors_nor_requirements(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    registered("one", metrics={"auc": 0.5})
    registered("other", metrics={"auc": 0.5})
    facts = pennant("diff", f"{name}/1", "2", "-o", "json").facts
    sections = {"metrics", "params", "tags", "flavors", "signature", "requirements"}
    assert {name: facts.get(name, {}) for name in sections} == {key: {} for key in sections}
