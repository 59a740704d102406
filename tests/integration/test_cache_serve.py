"""A server whose bundle lies in the cache, beside pods that make room there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from pennant_serving.cache import entries, incoming, publication
from pennant_serving.cache.eviction import LATELY_SECONDS
from pennant_serving.cache.publication import Publication
from pennant_serving.cache.settings import CacheSettings
from pennant_testing.serving.adapters import ECHO
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.serving_process import serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

OURS, ANOTHER = "1" * 64, "2" * 64


@pytest.fixture
def cache(tmp_path):
    return CacheSettings(tmp_path / "cache", size=6 * entries.BLOCK_BYTES)


def published(cache, name):
    """What comes of a bundle of one file: there is room for one of these."""
    with incoming.making(cache.path) as folder:
        files = folder / "entry" / "files"
        files.mkdir(parents=True)
        (files / "any").write_text("any")
        return publication.publish(cache, folder / "entry", "bundles", name, {})


@pytest.fixture
def model_path(cache, tmp_path):
    """A pod's volume, with a link to an entry that was used last long ago."""
    assert published(cache, OURS) is Publication.PUBLISHED
    entry = cache.path / "bundles" / OURS
    long_ago = time.time() - 2 * LATELY_SECONDS
    os.utime(entry / "record.json", (long_ago, long_ago))
    path = tmp_path / "models" / "bundle"
    path.parent.mkdir()
    path.symlink_to(entry / "files")
    on_volume(path)
    return path


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_server_has_in_use_stays_as_long_as_it_lives(cache, model_path, tmp_path, workers):
    with serving(tmp_path, model_path, PENNANT_ADAPTER=ECHO, PENNANT_WORKERS=workers) as pod:
        pod.wait_until("/v2/health/ready")
        assert published(cache, ANOTHER) is Publication.NO_ROOM
        assert (model_path / "any").is_file()
    until(lambda: published(cache, ANOTHER) is Publication.PUBLISHED)
    assert not model_path.exists()


def test_a_link_that_leads_nowhere_is_told_with_what_to_do(cache, model_path, tmp_path):
    assert published(cache, ANOTHER) is Publication.PUBLISHED
    with serving(tmp_path, model_path, PENNANT_ADAPTER=ECHO) as pod:
        pod.process.wait()
    ended = json.loads(pod.termination_log.read_text())
    assert ended["reason"] == "DownloadFailed"
    assert f"{model_path} leads to {cache.path}/bundles/{OURS}/files" in ended["message"]
    assert "delete the pod" in ended["message"]


WANTED = {
    "PENNANT_MODEL_NAME": "iris",
    "PENNANT_MODEL_VERSION": "7",
    "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/m/artifacts",
    "PENNANT_REGISTRY_URL": "http://mlflow:5000",
}


@pytest.mark.parametrize(
    "statement",
    [
        "import pennant_serving.__main__ as serve; serve._follow_links({})",
        f"import pennant_serving.fetch.__main__ as fetch; fetch._settings({WANTED})",
    ],
    ids=["serve", "fetch"],
)
def test_without_a_cache_nothing_is_imported_for_one(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    modules = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    assert "pennant_serving" in modules
    assert [name for name in modules if name.startswith("pennant_serving.cache")] == []
