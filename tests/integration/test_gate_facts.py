"""What real MLflow servers tell gates of a version, and in how many requests."""

from __future__ import annotations

from collections.abc import Set
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.version_facts import Identity, Part, version_facts
from pennant_registry.gates import BundleFacts, VersionFacts
from pennant_testing.mlflow.registry_polls import Counted, ask

pytestmark = pytest.mark.integration

BOTH = pytest.mark.parametrize("either_mlflow", ["mlflow_url", "mlflow2_url"], indirect=True)
ALL = frozenset(Part)
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn}
  sklearn: {sklearn_version: 1.9.0}
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}]'
  outputs: null
  params: null
"""
BUNDLE = BundleFacts(
    ("python_function", "sklearn"),
    {"inputs": [{"type": "double", "name": "age", "required": True}]},
)
TAGGED = {"pennant.flavors": "onnx", "pennant.signature": "none"}


@pytest.fixture
def client(either_mlflow: str) -> MlflowClient:
    return MlflowClient(either_mlflow)


def register(
    client: MlflowClient, files: dict[str, str], folder: str = "model", **tags: str
) -> Watch:
    """A model whose version 1, promoted, is a run's folder with these files, and metrics."""
    name, run = f"m{uuid4().hex[:8]}", client.create_run("0").info.run_id
    client.create_registered_model(name)
    client.log_metric(run, "auc", 0.7)
    client.log_metric(run, "auc", 0.8)
    client.log_metric(run, "loss", float("nan"))
    for path, text in files.items():
        client.log_text(run, text, path)
    client.create_model_version(name, f"runs:/{run}/{folder}", run, tags)
    client.set_registered_model_alias(name, "production", "1")
    return Watch("default", name, alias="production")


def told(
    url: str, watch: Watch, parts: Set[Part] = ALL, *, forget: bool = False
) -> tuple[VersionFacts, list[str]]:
    """What is told of the version that an alias points at, and what was asked for that."""
    found: list[tuple[VersionFacts, list[str]]] = []

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask([watch])
        at = poll.known.state(watch)
        assert isinstance(at, ModelVersion)
        http.taken()
        of = Identity(at.name, at.version, at.created)
        resolved = {} if forget else poll.known.resolved
        facts = await version_facts(poll.registry, resolved, of, parts)
        found.append((facts, http.taken()))

    ask(url, scenario)
    return found[0]


@BOTH
def test_metrics_tags_and_the_bundle_are_three_requests(either_mlflow: str, client: MlflowClient):
    folder = "a mödel%41"
    watch = register(client, {f"{folder}/MLmodel": MLMODEL}, folder, approved="true")
    facts, asked = told(either_mlflow, watch)
    assert asked == ["model-versions/get", "runs/get", "mlflow-artifacts"]
    assert not isinstance(facts.metrics, str)
    assert facts.metrics["auc"] == 0.8
    assert str(facts.metrics["loss"]) == "nan"
    assert (facts.tags, facts.bundle) == ({"approved": "true"}, BUNDLE)
    facts, asked = told(either_mlflow, watch, {Part.TAGS})
    assert (facts.tags, asked) == ({"approved": "true"}, ["model-versions/get"])


@BOTH
def test_where_the_bytes_are_is_asked_where_it_is_not_known(
    either_mlflow: str, client: MlflowClient
):
    watch = register(client, {"model/MLmodel": MLMODEL})
    facts, asked = told(either_mlflow, watch, {Part.BUNDLE}, forget=True)
    assert facts.bundle == BUNDLE
    assert asked == [
        "model-versions/get",
        "model-versions/get-download-uri",
        "runs/get",
        "mlflow-artifacts",
    ]


@BOTH
@pytest.mark.parametrize("tags", [{}, TAGGED], ids=["untagged", "tagged"])
@pytest.mark.parametrize(
    "text", [None, "[" * 1000, f"# {'x' * 2**20}"], ids=["gone", "deep", "long"]
)
def test_without_an_mlmodel_file_the_tags_speak(
    either_mlflow: str, client: MlflowClient, text: str | None, tags: dict[str, str]
):
    files = {"model/other.txt": "x"} if text is None else {"model/MLmodel": text}
    facts, _ = told(either_mlflow, register(client, files, **tags), {Part.BUNDLE})
    if tags:
        assert facts.bundle == BundleFacts(("onnx",))
    else:
        why = "MLflow answers" if text is None else "deeper than 64" if text[0] == "[" else "1 MiB"
        assert why in str(facts.bundle)


@BOTH
def test_files_in_another_store_are_not_asked_for(either_mlflow: str, client: MlflowClient):
    name, run = f"m{uuid4().hex[:8]}", client.create_run("0").info.run_id
    client.create_registered_model(name)
    client.create_model_version(name, "s3://bucket/model", run, TAGGED)
    client.create_model_version(name, "s3://bucket/model", run)
    for number, bundle in (("1", BundleFacts(("onnx",))), ("2", "its files are in s3:")):
        client.set_registered_model_alias(name, "production", number)
        watch = Watch("default", name, alias="production")
        facts, asked = told(either_mlflow, watch, {Part.BUNDLE})
        assert asked == ["model-versions/get"]
        assert facts.bundle == bundle or str(bundle) in str(facts.bundle)


@BOTH
def test_a_run_that_is_gone_is_that_versions_and_its_tags_are_known(
    either_mlflow: str, client: MlflowClient
):
    name = f"m{uuid4().hex[:8]}"
    client.create_registered_model(name)
    client.create_model_version(name, "s3://bucket/model", "0" * 32, {"approved": "true"})
    client.set_registered_model_alias(name, "production", "1")
    facts, asked = told(
        either_mlflow, Watch("default", name, alias="production"), {Part.METRICS, Part.TAGS}
    )
    assert "RESOURCE_DOES_NOT_EXIST" in str(facts.metrics)
    assert facts.tags == {"approved": "true"}
    assert asked == ["model-versions/get", "runs/get"]


@BOTH
def test_a_version_that_is_gone_says_so(either_mlflow: str, client: MlflowClient):
    watch = register(client, {})
    for of in (Identity(watch.model, "2", 0), Identity(watch.model, "1", 5)):

        async def scenario(_: Counted, poll: Poll, of: Identity = of) -> None:
            facts = await version_facts(poll.registry, {}, of, ALL)
            assert facts.metrics == "the registry does not have it any more"

        ask(either_mlflow, scenario)


def test_a_logged_model_says_its_own_metrics_and_files(mlflow_url: str, tmp_path):
    client = MlflowClient(mlflow_url)
    name, run = f"m{uuid4().hex[:8]}", client.create_run("0").info.run_id
    model = client.create_logged_model("0", "model", run)
    (tmp_path / "MLmodel").write_text(MLMODEL)
    client.log_model_artifacts(model.model_id, str(tmp_path))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_metric(run, "auc", 0.5)
    client.log_metric(run, "loss", 0.1)
    client.log_metric(run, "auc", 0.9, model_id=model.model_id)
    client.log_metric(run, "auc", 0.5, step=2)
    client.create_registered_model(name)
    client.create_model_version(name, f"models:/{model.model_id}", run, model_id=model.model_id)
    client.set_registered_model_alias(name, "production", "1")
    facts, asked = told(mlflow_url, Watch("default", name, alias="production"))
    assert facts.metrics == {"auc": 0.9, "loss": 0.1}
    assert facts.bundle == BUNDLE
    of_model = f"logged-models/{model.model_id}"
    assert asked == ["model-versions/get", "runs/get", of_model, "mlflow-artifacts"]
