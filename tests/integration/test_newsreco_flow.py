"""The flow that the book's readers run, the pipeline's commands and the API, on a real server."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

from newsreco import bundle, data, pipeline, registry, train
from newsreco.api import create_app
from newsreco.config import Config
from newsreco.generate import generate
from newsreco.registry import ALIAS, REGISTERED_NAME
from pennant_dev.ports import free_port
from pennant_registry import MetricMin, resolve
from pennant_registry.errors import GateRefusedError

pytestmark = pytest.mark.integration

# Seconds of a request, instead of the library's few: the machine may have other things to do.
PATIENT = "60"


@pytest.fixture
def client(mlflow_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MlflowClient:
    is_at(monkeypatch, mlflow_url, tmp_path)
    return MlflowClient(tracking_uri=mlflow_url)


def is_at(environment: pytest.MonkeyPatch, mlflow_url: str, folder: Path) -> None:
    """Somebody sits in this folder and works with that server."""
    environment.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    environment.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", PATIENT)
    environment.delenv("PENNANT_MODEL_PATH", raising=False)
    environment.chdir(folder)  # training keeps its local copy here


@pytest.fixture(scope="module")
def trained(mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run that has trained a model, for tests of what comes after that."""
    with pytest.MonkeyPatch.context() as environment:
        is_at(environment, mlflow_url, tmp_path_factory.mktemp("trained"))
        return train.run(Config()).run_id


def serving() -> int:
    resolved = resolve(REGISTERED_NAME, ALIAS)
    assert resolved is not None
    return resolved.version


def ask(*paths: str) -> list[httpx.Response]:
    """What a freshly started API answers to these requests."""

    async def all_of_them() -> list[httpx.Response]:
        app = create_app()
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as api,
        ):
            return [await api.get(path) for path in paths]

    return asyncio.run(all_of_them())


def test_the_books_script_runs_unchanged(client: MlflowClient):
    cfg = Config()
    train.run(cfg)
    experiment = client.get_experiment_by_name(cfg.experiment)
    newest = client.search_runs(
        [experiment.experiment_id], order_by=["attributes.start_time DESC"], max_results=1
    )
    version = registry.register(newest[0].info.run_id)
    assert isinstance(version, int)
    registry.promote(version)
    model = registry.load_production()
    assert model is not None
    assert len(model["recommender"].articles) == 300
    assert model["ranker"] is not None
    assert len(model["recommender"].recommend("U106", k=3)) == 3


def test_the_pipeline_prints_the_verified_flow(
    client: MlflowClient, capsys: pytest.CaptureFixture[str]
):
    assert pipeline.main(["--marker", "blue"]) == 0
    number = serving()
    lines = capsys.readouterr().out.splitlines()[-5:]
    assert re.fullmatch(r"latest run: [0-9a-f]{32}", lines[0])
    assert lines[1:4] == [
        f"registered version: {number}",
        f"promoted version {number} to alias 'production'",
        "loaded production model -> 300 articles, ranker: True",
    ]
    assert re.fullmatch(r"sample rec for U106: \['N\d+', 'N\d+', 'N\d+'\]", lines[4])


def test_a_run_holds_params_metrics_snapshot_and_the_artifact(client: MlflowClient):
    made = train.run(Config(commit="abc", owner="ana"))
    run = client.get_run(made.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == str(Config().seed)
    assert run.data.metrics["ndcg_at_10"] > run.data.metrics["popularity_ndcg_at_10"]
    assert {"hit_rate_at_10", "auc"} <= set(run.data.metrics)
    assert run.data.tags["pennant.dataset"] == made.snapshot
    assert [file.path for file in client.list_artifacts(made.run_id)] == ["newsreco.pkl"]
    version = client.get_model_version(REGISTERED_NAME, str(registry.register(made.run_id)))
    assert version.tags["pennant.commit"] == "abc"
    assert version.tags["pennant.owner"] == "ana"


def test_a_mind_folder_is_used_instead_of_generated_data(client: MlflowClient, tmp_path: Path):
    data.save(generate(Config(users=60, articles=120)), tmp_path / "MINDtiny")
    made = train.run(Config(mind=tmp_path / "MINDtiny"))
    assert len(made.bundle["recommender"].articles) == 120
    assert made.snapshot.startswith("mind-MINDtiny-")


def test_without_promotion_the_alias_stays(client: MlflowClient, trained: str):
    before = registry.register(trained)
    registry.promote(before)
    assert pipeline.main(["--no-promote"]) == 0
    assert serving() == before


def test_a_version_that_cannot_load_is_promoted_and_rolled_back(
    client: MlflowClient, trained: str, capsys: pytest.CaptureFixture[str]
):
    good = registry.register(trained)
    registry.promote(good)
    assert pipeline.main(["--broken=load"]) == 0
    broken = serving()
    tags = client.get_model_version(REGISTERED_NAME, str(broken)).tags
    assert (broken > good, len(tags["pennant.sha256"])) == (True, 64)
    with pytest.raises(ModuleNotFoundError, match="newsreco_features_v9"):
        registry.load_production()
    assert pipeline.main(["rollback"]) == 0
    assert f"from version {broken} to {good}" in capsys.readouterr().out
    assert serving() == good


def test_what_was_rolled_back_or_is_on_hold_is_promoted_once_it_is_released(
    client: MlflowClient, trained: str, capsys: pytest.CaptureFixture[str]
):
    first, second = registry.register(trained), registry.register(trained)
    for version in (first, second):
        registry.promote(version)
    assert pipeline.main(["rollback", "--reason", "odd answers"]) == 0
    assert pipeline.main(["promote", str(second)]) == 1
    assert ": odd answers; release it first" in capsys.readouterr().err
    assert pipeline.main(["release", "--version", str(second)]) == 0
    assert pipeline.main(["hold", "a launch", "--until", "2126-12-01T08:00:00Z"]) == 0
    assert "alias 'production' is held in the registry by " in capsys.readouterr().out
    assert pipeline.main([]) == 1  # a nightly job: what it trains is registered
    assert " until 2126-12-01T08:00:00Z: a launch; release" in capsys.readouterr().err
    assert pipeline.main(["release"]) == 0
    assert pipeline.main(["release"]) == 1
    assert pipeline.main(["promote", str(second)]) == 0
    assert serving() == second


def test_an_existing_version_is_promoted_by_its_number_and_a_missing_one_is_refused(
    client: MlflowClient, trained: str, capsys: pytest.CaptureFixture[str]
):
    version = registry.register(trained)
    assert pipeline.main(["promote", str(version)]) == 0
    assert serving() == version
    assert pipeline.main(["promote", "99999"]) == 1
    assert "no version 99999" in capsys.readouterr().err


def test_a_model_below_the_gate_is_not_promoted(client: MlflowClient, trained: str):
    version = registry.register(trained)
    with pytest.raises(GateRefusedError, match=r"ndcg_at_10 is .* at least 0\.99"):
        registry.promote(version, gates=[MetricMin("ndcg_at_10", min=0.99)])


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs to drop root")
def test_training_runs_as_a_user_without_name_home_and_writable_folder(mlflow_url: str):
    code = [sys.executable, "-W", "error::UserWarning", "-m", "newsreco.pipeline", "--no-promote"]
    ran = subprocess.run(
        ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups", *code],
        env={
            "PATH": "/nonexistent",
            "MLFLOW_TRACKING_URI": mlflow_url,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": PATIENT,
        },
        executable=shutil.which("setpriv"),
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "registered version: " in ran.stdout


def test_the_api_serves_what_the_registry_has_in_production(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
):
    assert pipeline.main(["--marker", "green"]) == 0
    monkeypatch.setenv("NEWSRECO_USE_REGISTRY", "1")
    health, answer, refused = ask("/health", "/recommend/U106?k=3", "/recommend/U106?k=all")
    assert health.json() == {"status": "ok", "source": "registry", "articles": 300}
    found = answer.json()
    assert (found["user"], len(found["items"]), found["marker"]) == ("U106", 3, "green")
    assert (refused.status_code, "from 1 to 100" in refused.json()["error"]) == (400, True)


def test_an_api_without_its_registry_says_so_and_serves_the_local_pickle(
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
):
    bundle.save(train.fit(Config(marker="local")).bundle, tmp_path / "newsreco.pkl")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NEWSRECO_USE_REGISTRY", "1")
    health, answer = ask("/health", "/recommend/U106")
    assert (health.json()["source"], answer.json()["marker"]) == ("local pickle", "local")
    assert "THE REGISTRY GAVE NO MODEL" in caplog.text


def test_an_api_with_neither_registry_nor_pickle_trains(client: MlflowClient):
    (health,) = ask("/health")
    assert health.json()["source"] == "fresh training"
