"""Versions that MLflow copied from another model, and runs that logged many models."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_registry import errors
from pennant_testing.mlflow.lying_proxy import lying_proxy

pytestmark = pytest.mark.integration

ALIAS = "prod"


@pytest.fixture
def copied(client: MlflowClient, registered: Callable[..., int], name: str) -> str:
    """A model whose two versions are copies of another model's second and third, in that order;
    all of these held an alias of the same name."""
    for content in ("one", "two", "three"):
        pennant_registry.promote(registered(content), name, ALIAS)
    for number in (2, 3):
        client.copy_model_version(f"models:/{name}/{number}", f"{name}-prod")
    return f"{name}-prod"


def test_a_copied_record_is_not_gone_by(client: MlflowClient, copied: str):
    client.set_registered_model_alias(copied, ALIAS, "2")
    assert client.get_model_version(copied, "2").tags["pennant.promoted-from.prod"] == "2"
    assert pennant_registry.history(copied, ALIAS) == []
    with pytest.raises(errors.NothingToRollBackError, match="promote the version that you want"):
        pennant_registry.rollback(copied, ALIAS)


def test_an_alias_of_copies_goes_back_to_what_its_own_records_say(
    client: MlflowClient, copied: str
):
    client.set_registered_model_alias(copied, ALIAS, "2")
    own = pennant_registry.promote(2, copied, ALIAS)  # it holds it, and gets a record of its own
    assert own.previous is None
    pennant_registry.promote(1, copied, ALIAS)
    assert pennant_registry.rollback(copied, ALIAS).version == 2


def test_a_copied_version_of_one_file_loads(client: MlflowClient, copied: str):
    pennant_registry.promote(2, copied, ALIAS)
    assert "models:/" in client.get_model_version(copied, "2").source
    assert pennant_registry.load_production(copied, ALIAS) == "three"


def test_a_copy_of_a_copy_loads(client: MlflowClient, copied: str):
    client.copy_model_version(f"models:/{copied}/1", f"{copied}-eu")
    pennant_registry.promote(1, f"{copied}-eu", ALIAS)
    assert pennant_registry.load_production(f"{copied}-eu", ALIAS) == "two"


def test_records_that_an_older_library_left_are_gone_by_and_copies_of_them_are_not(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, ALIAS)
    for number in ("1", "2"):
        client.delete_model_version_tag(name, number, f"pennant.promoted-as.{ALIAS}")
    copy = f"{name}-prod"
    client.copy_model_version(f"models:/{name}/2", copy)
    client.set_registered_model_alias(copy, ALIAS, "1")
    with pytest.raises(errors.NothingToRollBackError):
        pennant_registry.rollback(copy, ALIAS)
    assert pennant_registry.rollback(name, ALIAS).version == 1


def test_a_version_that_was_deleted_is_named_and_what_to_do(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, ALIAS)
    client.delete_model_version(name, "1")
    with pytest.raises(errors.VersionMissingError, match=r"version 1 .* was deleted: promote the"):
        pennant_registry.rollback(name, ALIAS)


def test_promoting_an_older_version_that_held_the_alias_is_a_rollback(
    registered: Callable[..., int], name: str
):
    for content in ("one", "two", "three"):
        pennant_registry.promote(registered(content), name, ALIAS)
    assert pennant_registry.promote(2, name, ALIAS).is_rollback
    assert pennant_registry.rollback(name, ALIAS).version == 1  # and not 3, which was left


# MLflow 3's client logs a model where MLflow 2 has no place for it.
of_mlflow3 = pytest.mark.parametrize("client", ["mlflow_url"], indirect=True)


@of_mlflow3
def test_of_a_run_with_two_logged_models_the_one_that_was_deleted_is_passed_over(
    client: MlflowClient, run: Callable[..., str], name: str
):
    run_id = run()
    first, second = (logged(client, run_id, "model") for _ in range(2))
    client.delete_logged_model(second)
    with pytest.raises(errors.ArtifactMissingError, match="gave no file"):  # it has no files
        pennant_registry.register(run_id, "model", name)
    client.delete_logged_model(first)
    with pytest.raises(errors.ArtifactMissingError, match="holds no artifact model"):
        pennant_registry.register(run_id, "model", name)


@of_mlflow3
def test_of_all_models_that_a_run_has_logged_only_the_one_is_asked_after(
    client: MlflowClient, run: Callable[..., str], name: str, monkeypatch: pytest.MonkeyPatch
):
    run_id = run()
    for number in range(20):
        logged(client, run_id, f"model{number}")
    with lying_proxy(client.tracking_uri) as front:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", front.url)
        pennant_registry.register(run_id, "model.pkl", name)
        assert not [path for path in front.asked if "logged-models/m-" in path]
        with pytest.raises(errors.ArtifactMissingError, match="gave no file"):
            pennant_registry.register(run_id, "model7", name)
        assert len({path for path in front.asked if "logged-models/m-" in path}) == 1


def logged(client: MlflowClient, run_id: str, name: str) -> str:
    """A model without files, as the run's output; its id."""
    from mlflow.entities import LoggedModelOutput

    model = client.create_logged_model("0", name, run_id).model_id
    client.log_outputs(run_id, [LoggedModelOutput(model, 0)])
    return str(model)
