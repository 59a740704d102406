"""What a cache that cannot be used does to a pod: nothing but a line of the log."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

import pytest

from pennant_serving.cache import rollouts
from pennant_serving.cache.settings import CacheSettings
from pennant_serving.environ import Environ
from pennant_serving.fetch import fetch
from pennant_testing.serving.fetch_settings import fetch_settings
from pennant_testing.serving.shared_cache import digest_of, write_source

pytestmark = pytest.mark.unit

FLOCK = fcntl.flock


@pytest.fixture
def settings(tmp_path):
    """Of a pod whose bundle is in a claim."""
    write_source(1, tmp_path)

    def of(pod, **changes):
        cache = CacheSettings(tmp_path / "cache", rollout="a-rollout", wait=0)
        return fetch_settings(
            "pvc://artifacts/1",
            tmp_path / pod,
            artifacts_path=tmp_path / "claim",
            allowed_sources=("pvc://artifacts/",),
            **{"cache": cache} | changes,
        )

    return of


def refusing_locks(folder, code):
    """As a file system below this folder that has none."""

    def flock(opened, kind):
        if Path(f"/proc/self/fd/{opened}").readlink().is_relative_to(folder):
            raise OSError(code, os.strerror(code))
        FLOCK(opened, kind)

    return flock


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_holds_no_cache(settings, tmp_path, monkeypatch, capsys, code):
    monkeypatch.setattr(fcntl, "flock", refusing_locks(tmp_path / "cache", code))
    pod = settings("pod")
    manifest, cached = fetch(pod)
    assert manifest.digest == digest_of(1, tmp_path)
    assert not cached
    assert not pod.model_path.is_symlink()
    assert os.strerror(code) in capsys.readouterr().out


@pytest.mark.parametrize("is_file", [True, False])
def test_what_is_no_folder_is_no_cache(settings, tmp_path, capsys, is_file):
    (tmp_path / "cache").write_text("a file") if is_file else (tmp_path / "cache").symlink_to(
        "gone"
    )
    manifest, _ = fetch(settings("pod"))
    assert manifest.digest == digest_of(1, tmp_path)
    assert "go without the cache" in capsys.readouterr().out


def test_who_makes_for_too_long_is_not_waited_for(settings, tmp_path):
    locks = tmp_path / "cache" / "locks"
    locks.mkdir(parents=True)
    with (locks / "bundles-a-rollout.lock").open("w") as maker:
        FLOCK(maker, fcntl.LOCK_EX)
        pod = settings("pod")
        assert fetch(pod)[1] is False
        assert pod.model_path.is_symlink()


def test_a_pod_that_starts_again_keeps_its_bundle_without_the_registry(settings, tmp_path):
    first, _ = fetch(settings("pod"))
    (tmp_path / "claim").rename(tmp_path / "away")
    cache = CacheSettings(tmp_path / "cache")  # and nothing is remembered
    assert fetch(settings("pod", cache=cache)) == (first, True)


def test_an_entry_that_went_is_made_again(settings, tmp_path):
    fetch(settings("pod"))
    (entry,) = (tmp_path / "cache" / "bundles").iterdir()
    entry.rename(tmp_path / "elsewhere")
    pod = settings("pod")
    assert fetch(pod)[1] is False
    assert (pod.model_path / "model.pkl").is_file()


def test_a_pod_without_a_cache_replaces_the_link_and_not_what_it_leads_to(settings, tmp_path):
    fetch(settings("pod"))
    (entry,) = (tmp_path / "cache" / "bundles").iterdir()
    pod = settings("pod", cache=None)
    assert fetch(pod)[1] is False
    assert not pod.model_path.is_symlink()
    assert (entry / "files" / "model.pkl").is_file()


def test_what_was_remembered_long_ago_is_forgotten(settings, tmp_path):
    fetch(settings("pod"))
    (path,) = (tmp_path / "cache" / "rollouts").iterdir()
    long_ago = time.time() - (rollouts.DAYS + 1) * 86400
    os.utime(path, (long_ago, long_ago))
    rollouts.forget_old(tmp_path / "cache")
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"bundle": "../../etc"}', '{"bundle": 1}'])
def test_what_is_remembered_in_no_form_of_ours_is_not_gone_by(settings, tmp_path, text):
    fetch(settings("first"))
    (path,) = (tmp_path / "cache" / "rollouts").iterdir()
    path.write_text(text)
    assert fetch(settings("second"))[0].digest == digest_of(1, tmp_path)


FACTS = {"PENNANT_CACHE_PATH": "/cache", "PENNANT_CACHE_ROLLOUT": "uid", "PENNANT_REVISION": "a"}


def test_a_rollout_is_named_by_all_that_it_is_of():
    identities = [("http://a", "m"), ("http://a", "n"), ("http://b", "m"), ("http://am", "")]
    variables = [FACTS, FACTS | {"PENNANT_CACHE_ROLLOUT": "d"}, FACTS | {"PENNANT_REVISION": "b"}]
    names = [
        CacheSettings.from_env(Environ(each), *identity).rollout
        for each in variables
        for identity in identities
    ]
    assert len(set(names)) == len(names)
