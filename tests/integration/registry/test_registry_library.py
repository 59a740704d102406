"""The registry library against a real MLflow server."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

import pennant_registry
from pennant_registry import MetricMin, artifacts, errors, promotion, versions
from pennant_registry.pointers import Alias

pytestmark = pytest.mark.integration

ALIAS = "production"


def serving(name: str) -> int | None:
    resolved = pennant_registry.resolve(name, ALIAS)
    return resolved.version if resolved else None


def test_a_registered_version_says_what_it_is_and_where_it_is_from(
    client: MlflowClient, run: Callable[..., str], name: str
):
    run_id = run("weights", **{"pennant.dataset": "mind-1", "mlflow.source.git.commit": "abc"})
    number = pennant_registry.register(run_id, "model.pkl", name, tags={"pennant.owner": "ana"})
    found = client.get_model_version(name, str(number))
    assert (number, found.run_id, found.source) == (1, run_id, f"runs:/{run_id}/model.pkl")
    assert found.tags == {
        "pennant.sha256": hashlib.sha256(pickle.dumps("weights")).hexdigest(),
        "pennant.flavors": "none",
        "pennant.signature": "none",
        "pennant.dataset": "mind-1",
        "pennant.commit": "abc",
        "pennant.owner": "ana",
    }


def test_registering_an_artifact_that_the_run_lacks_names_run_and_file(
    run: Callable[..., str], name: str
):
    run_id = run()
    with pytest.raises(
        errors.ArtifactMissingError, match=rf"{run_id} holds no artifact other\.pkl"
    ):
        pennant_registry.register(run_id, "other.pkl", name)


def test_registering_from_a_run_that_does_not_exist_names_it(client: MlflowClient, name: str):
    with pytest.raises(errors.RunMissingError, match="0" * 32):
        pennant_registry.register("0" * 32, "model.pkl", name)


def test_the_digest_cannot_be_given_by_hand(run: Callable[..., str], name: str):
    with pytest.raises(errors.RegistryError, match=r"pennant\.sha256"):
        pennant_registry.register(run(), "model.pkl", name, tags={"pennant.sha256": "0"})


def test_a_folder_that_was_logged_loads_as_its_path(
    client: MlflowClient, tmp_path: Path, name: str
):
    run_id = client.create_run("0").info.run_id
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "weights").write_text("12")
    client.log_artifacts(run_id, str(tmp_path / "onnx"), "onnx")
    pennant_registry.promote(pennant_registry.register(run_id, "onnx", name), name, ALIAS)
    loaded = pennant_registry.load_production(name, ALIAS)
    assert (loaded / "weights").read_text() == "12"


# MLflow 3's client logs a model where MLflow 2 has no place for it.
@pytest.mark.parametrize("client", ["mlflow_url"], indirect=True)
# MLflow warns of its own type hints when `mlflow.pyfunc` is imported.
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")
def test_a_logged_model_loads_as_pyfunc_and_keeps_a_source_that_fetch_can_resolve(
    client: MlflowClient, name: str
):
    with mlflow.start_run() as active:
        model = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
        logged = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
    number = pennant_registry.register(active.info.run_id, "model", name)
    pennant_registry.promote(number, name, ALIAS)
    assert client.get_model_version(name, str(number)).source == f"models:/{logged.model_id}"
    assert pennant_registry.load_production(name, ALIAS).predict(np.array([[5.0]])).tolist() == [1]


def test_nothing_promoted_is_none_for_a_missing_alias_and_a_missing_model(
    registered: Callable[..., int], name: str
):
    assert pennant_registry.load_production(name, ALIAS) is None  # 404: no such model
    registered()
    assert pennant_registry.resolve(name, ALIAS) is None  # 400: no such alias
    assert pennant_registry.load_production(name, ALIAS) is None


def test_a_single_pickle_loads_where_mlflows_own_alias_address_gives_an_empty_folder(
    client: MlflowClient, registered: Callable[..., int], name: str, tmp_path: Path
):
    pennant_registry.promote(registered({"ranker": 1}), name, ALIAS)
    assert pennant_registry.load_production(name, ALIAS) == {"ranker": 1}
    (empty := tmp_path / "download").mkdir()
    with pytest.raises(errors.ArtifactMissingError, match="gave no file"):
        artifacts.download(client, f"models:/{name}@{ALIAS}", empty)


def test_bytes_that_are_not_those_registered_are_not_unpickled(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    number = registered()
    pennant_registry.promote(number, name, ALIAS)
    client.set_model_version_tag(name, str(number), "pennant.sha256", "0" * 64)
    with pytest.raises(errors.DigestMismatchError, match=f"version {number} of {name}"):
        pennant_registry.load_production(name, ALIAS)


def test_a_promotion_records_who_when_and_what_was_before(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, ALIAS)
    move = pennant_registry.promote(str(second), name, ALIAS)
    tags = client.get_model_version(name, str(second)).tags
    assert tags["pennant.promoted-from.production"] == str(first)
    assert tags["pennant.promoted-by.production"] == move.by
    assert tags["pennant.promoted-at.production"] == move.at.isoformat()


def test_promoting_a_version_that_does_not_exist_moves_nothing(
    registered: Callable[..., int], name: str
):
    pennant_registry.promote(registered(), name, ALIAS)
    with pytest.raises(errors.VersionMissingError, match="no version 99"):
        pennant_registry.promote(99, name, ALIAS)
    assert serving(name) == 1


def test_a_gate_that_refuses_names_metric_value_and_bound_and_moves_nothing(
    registered: Callable[..., int], name: str
):
    number = registered(metrics={"ndcg_at_10": 0.25})
    gate = MetricMin("ndcg_at_10", min=0.30)
    with pytest.raises(errors.GateRefusedError, match=r"ndcg_at_10 is 0\.25.*at least 0\.3"):
        pennant_registry.promote(number, name, ALIAS, gates=[gate])
    assert serving(name) is None


def test_a_version_that_passes_its_gates_gets_the_alias(registered: Callable[..., int], name: str):
    number = registered(metrics={"ndcg_at_10": 0.31})
    pennant_registry.promote(number, name, ALIAS, gates=[MetricMin("ndcg_at_10", min=0.30)])
    assert serving(name) == number


def test_promoting_what_holds_the_alias_keeps_its_record(registered: Callable[..., int], name: str):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, ALIAS)
    made = pennant_registry.promote(second, name, ALIAS)
    assert pennant_registry.promote(second, name, ALIAS) == made
    assert made.previous == first


def test_rolling_back_twice_goes_two_versions_back(registered: Callable[..., int], name: str):
    for content in ("one", "two", "three"):
        pennant_registry.promote(registered(content), name, ALIAS)
    assert pennant_registry.rollback(name, ALIAS).version == 2
    assert pennant_registry.rollback(name, ALIAS).version == 1
    assert pennant_registry.load_production(name, ALIAS) == "one"
    with pytest.raises(errors.NothingToRollBackError, match="no version before it"):
        pennant_registry.rollback(name, ALIAS)


def test_rolling_back_an_alias_that_is_not_set_is_an_error(
    registered: Callable[..., int], name: str
):
    registered()
    with pytest.raises(errors.NothingToRollBackError, match="holds no version"):
        pennant_registry.rollback(name, ALIAS)


def test_a_version_promoted_by_hand_has_nothing_to_roll_back_to(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    client.set_registered_model_alias(name, ALIAS, str(registered()))
    with pytest.raises(errors.NothingToRollBackError, match="promote the version that you want"):
        pennant_registry.rollback(name, ALIAS)


def test_history_tells_promotions_and_rollbacks_newest_first(
    registered: Callable[..., int], name: str
):
    pennant_registry.promote(registered("one"), name, ALIAS)
    pennant_registry.promote(registered("two"), name, ALIAS)
    pennant_registry.rollback(name, ALIAS)
    records = [
        (m.previous, m.version, m.is_rollback) for m in pennant_registry.history(name, ALIAS)
    ]
    assert records == [(2, 1, True), (1, 2, False), (None, 1, False)]


def test_an_alias_that_somebody_moved_meanwhile_is_not_moved_again(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    mine, theirs = registered("mine"), registered("theirs")
    client.set_registered_model_alias(name, ALIAS, str(theirs))
    with pytest.raises(errors.AliasMovedError, match=f"is at version {theirs}"):
        promotion._move(client, Alias(ALIAS), versions.get(client, name, mine), None)
    assert serving(name) == theirs


def test_a_bad_alias_is_an_error_and_not_taken_for_an_unset_one(client: MlflowClient, name: str):
    with pytest.raises(errors.InvalidNameError, match="reserved"):
        pennant_registry.resolve(name, "latest")
