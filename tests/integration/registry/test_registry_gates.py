"""Gates before an alias moves, asked of real MLflow servers, and who overrode them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

import pennant_registry
from pennant_registry import MetricMin, errors

pytestmark = [
    pytest.mark.integration,
    # MLflow warns of its own type hints when `mlflow.pyfunc` is imported.
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

ALIAS = "production"


@pytest.fixture
def saved(client: MlflowClient, tmp_path: Path, name: str) -> Callable[..., int]:
    """Registers an MLflow model of columns, each of a type by its example; the version's number."""

    def register(auc: float, **example: float | str) -> int:
        import pandas as pd

        frame = pd.DataFrame({column: [value, value] for column, value in example.items()})
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        run_id = client.create_run("0").info.run_id
        folder = tmp_path / run_id
        signature = infer_signature(frame, [0, 1])
        mlflow.sklearn.save_model(
            model, folder, signature=signature, pip_requirements=["scikit-learn"]
        )
        client.log_artifacts(run_id, str(folder), "model")
        client.log_metric(run_id, "auc", auc)
        return pennant_registry.register(run_id, "model", name)

    return register


def holder(name: str) -> int | None:
    version = pennant_registry.resolve(name, ALIAS)
    return version.version if version else None


def test_a_registered_model_says_its_flavors_and_its_signature(
    client: MlflowClient, saved: Callable[..., int], name: str
):
    tags = client.get_model_version(name, str(saved(0.9, age=1.0))).tags
    assert tags["pennant.flavors"] == "python_function,sklearn"
    assert '"name":"age"' in tags["pennant.signature"]


def test_what_cannot_be_read_is_registered_and_nobody_knows_its_flavors(
    client: MlflowClient, tmp_path: Path, name: str
):
    run_id = client.create_run("0").info.run_id
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("no mapping")
    client.log_artifacts(run_id, str(tmp_path / "model"), "model")
    version = pennant_registry.register(run_id, "model", name)
    assert client.get_model_version(name, str(version)).tags.keys() == {"pennant.sha256"}
    with pytest.raises(errors.GateRefusedError, match="its MLmodel file is no mapping"):
        pennant_registry.promote(version, name, ALIAS, {"flavors": ["sklearn"]})


def test_a_version_is_held_against_the_one_that_has_the_alias(saved: Callable[..., int], name: str):
    gates = {"metrics": [{"name": "auc", "min": "0.5", "maxDrop": "0.01"}]}
    first, worse, better = (saved(auc, age=1.0) for auc in (0.8, 0.7, 0.79))
    pennant_registry.promote(first, name, ALIAS, gates)
    with pytest.raises(errors.GateRefusedError) as refused:
        pennant_registry.promote(worse, name, ALIAS, gates)
    assert str(refused.value) == (
        f"version {worse} of {name}: metric auc is 0.7, and must be at least 0.79, which is 0.01 "
        f"below that of version {first}, which serves"
    )
    assert holder(name) == first
    pennant_registry.promote(better, name, ALIAS, gates)
    assert holder(name) == better


def test_everything_that_refuses_is_named(saved: Callable[..., int], name: str):
    first, other = saved(0.8, age=1.0, city="x"), saved(0.8, age=1.0, town="x")
    pennant_registry.promote(first, name, ALIAS)
    gates = {"flavors": ["xgboost"], "signature": "Compatible", "tags": [{"key": "approved"}]}
    with pytest.raises(errors.GateRefusedError) as refused:
        pennant_registry.promote(other, name, ALIAS, gates)
    for message in (
        "its flavors are python_function, sklearn, and must have xgboost",
        "column city is missing",
        "column town is required and new",
        "tag approved is not set, and must be set",
    ):
        assert message in str(refused.value)
    assert holder(name) == first


def test_tags_say_it_where_the_artifacts_cannot_be_read(
    client: MlflowClient, saved: Callable[..., int], name: str
):
    made = client.get_model_version(name, str(saved(0.8, age=1.0)))
    tags = {"pennant.flavors": "sklearn", "pennant.signature": "none"}
    lost = client.create_model_version(name, f"{made.source}/lost", run_id=made.run_id, tags=tags)
    pennant_registry.promote(lost.version, name, ALIAS, {"flavors": ["sklearn"]})
    client.delete_model_version_tag(name, lost.version, "pennant.signature")
    with pytest.raises(
        errors.GateRefusedError, match=r"are not known \(its MLmodel file could not"
    ):
        pennant_registry.promote(lost.version, name, ALIAS, {"flavors": ["sklearn"]})


def test_going_back_waits_for_no_gate(registered: Callable[..., int], name: str):
    first, second = registered("one"), registered("two", metrics={"auc": 0.9})
    pennant_registry.promote(first, name, ALIAS)
    pennant_registry.promote(second, name, ALIAS, [MetricMin("auc", 0.5)])
    assert pennant_registry.promote(first, name, ALIAS, [MetricMin("auc", 0.5)]).is_rollback
    assert holder(name) == first


def test_an_override_is_recorded_with_what_it_overrode_and_not_taken_for_the_next(
    registered: Callable[..., int], name: str
):
    version, gates = registered(metrics={"auc": 0.2}), [MetricMin("auc", 0.5)]
    move = pennant_registry.promote(version, name, ALIAS, gates, override="the old one is broken")
    why = "the old one is broken (metric auc is 0.2, and must be at least 0.5)"
    assert move.override == why
    assert pennant_registry.history(name, ALIAS)[0].override == why
    other = registered(metrics={"auc": 0.7})
    pennant_registry.promote(other, name, ALIAS, gates, override="not needed")
    pennant_registry.rollback(name, ALIAS)
    pennant_registry.release(name, ALIAS, version=other)
    pennant_registry.promote(other, name, ALIAS, gates)
    assert pennant_registry.history(name, ALIAS)[0].override is None


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"override": " "}, errors.RegistryError, "override is empty: say why"),
        ({"gates": {"tags": [{}]}}, errors.InvalidGateError, r"gates.tags\[0\].key is None"),
    ],
)
def test_what_cannot_be_read_is_named_and_moves_nothing(
    registered: Callable[..., int], name: str, given, error, words
):
    version = registered()
    with pytest.raises(error, match=words):
        pennant_registry.promote(version, name, ALIAS, **given)
    assert holder(name) is None
