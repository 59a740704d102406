"""fetch from the artifact proxy of a real MLflow 2 server."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from pennant_registry import digest
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings, Wanted

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def run(mlflow2_url: str) -> str:
    """The artifact address of a run that has logged a file and a folder."""
    client = MlflowClient(mlflow2_url)
    made = client.create_run("0").info
    client.log_text(made.run_id, "the bytes", "model.pkl")
    client.log_text(made.run_id, "<html>the model</html>", "folder/MLmodel.html")
    client.log_text(made.run_id, "the bytes", "folder/with space/naïve file.txt")
    return str(made.artifact_uri)


def settings(url: str, source: str, folder: Path) -> FetchSettings:
    return FetchSettings(
        Wanted("cars", "1", source), folder / "bundle", registry_url=url, patience=0.5
    )


def test_a_file_and_a_folder_arrive_with_their_digest(mlflow2_url: str, run: str, tmp_path: Path):
    for source, kind, files in (("model.pkl", "file", 1), ("folder", "folder", 2)):
        read = settings(mlflow2_url, f"{run}/{source}", tmp_path / source)
        fetched, cached = fetch(read)
        assert (fetched.kind, fetched.files, cached) == (kind, files, False)
        bundle = read.model_path if kind == "folder" else read.model_path / source
        assert fetched.digest == digest.of_path(bundle)


@pytest.mark.parametrize("path", ["missing.pkl", "folder/missing.pkl", "missing/folder"])
def test_what_is_not_there_is_missing_although_mlflow_2_answers_500(
    mlflow2_url: str, run: str, tmp_path: Path, path: str
):
    with pytest.raises(PodError, match=r"MLflow lists no (missing\.pkl|folder) in") as raised:
        fetch(settings(mlflow2_url, f"{run}/{path}", tmp_path))
    assert raised.value.reason is Reason.BUNDLE_MISSING
