"""Pods that share a cache, as `fetch` processes against a registry and an index that count."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from pennant_testing.mlflow.recording_server import recorder
from pennant_testing.packages.simple_index import package_index
from pennant_testing.packages.wheels import runtime_wheels, wheel
from pennant_testing.serving.cache_pods import CacheScene, one_file

pytestmark = pytest.mark.integration

NOWHERE = "http://127.0.0.1:1"
OTHER = "0" * 64


@pytest.fixture
def scene(tmp_path):
    runtime_wheels(tmp_path / "wheels")
    wheel(tmp_path / "wheels", "alpha", "1.0")
    with ExitStack() as stack:
        index = stack.enter_context(package_index(tmp_path / "wheels"))
        server = stack.enter_context(recorder(one_file))
        yield CacheScene(tmp_path, server.url, index.url, server.paths, index.asked)


def test_a_second_pod_of_a_rollout_downloads_nothing(scene):
    first = scene.pod()
    assert first.is_whole(), first.log
    assert not first.message["cached"]
    asked = scene.asked
    second = scene.pod()
    assert second.is_whole(), second.log
    assert second.message["cached"]
    assert second.message["digest"] == first.message["digest"]
    assert second.message["environment"] == first.message["environment"]
    assert scene.asked == asked
    assert second.model_path.is_symlink()
    assert second.environment.is_symlink()
    assert list((scene.cache / "incoming").iterdir()) == []


def test_a_pod_of_a_known_revision_starts_with_registry_and_index_away(scene):
    first = scene.pod()
    away = {"PENNANT_REGISTRY_URL": NOWHERE, "PENNANT_INDEX_URL": f"{NOWHERE}/simple"}
    later = scene.pod(**first.pins, **away, PENNANT_CACHE_ROLLOUT="")
    assert later.is_whole(), later.log
    assert later.message["cached"]


def test_a_version_that_asks_for_the_same_packages_installs_nothing(scene):
    """As a model that is trained anew does."""
    first, (entry,) = scene.pod(), scene.entries("environments")
    before = entry.stat()
    second = scene.pod(PENNANT_MODEL_VERSION="8", PENNANT_REVISION="def")
    assert second.is_whole(), second.log
    assert second.message["environment"] == first.message["environment"]
    assert second.environment.readlink() == entry / "files"
    assert (scene.entries("environments"), entry.stat().st_ino) == ([entry], before.st_ino)
    assert '"resolve"' in second.log
    assert '"install"' not in second.log


BUNDLE_ONLY = {"PENNANT_ENVIRONMENT": "Image"}


def test_many_pods_at_once_download_once(scene):
    with ExitStack() as stack:
        starting = [stack.enter_context(scene.starting(**BUNDLE_ONLY)) for _ in range(8)]
        pods = [pod.ended() for pod in starting]
    assert [pod.process.returncode for pod in pods] == [0] * 8, pods
    assert sorted(pod.message["cached"] for pod in pods) == [False] + [True] * 7
    assert len([path for path in scene.registry_asked if "requirements.txt" in path]) == 1
    assert len(scene.entries("bundles")) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"PENNANT_CACHE_ROLLOUT": "uid-2"},
        {"PENNANT_CACHE_ROLLOUT": ""},
        {"PENNANT_REVISION": "def"},
        {"PENNANT_MODEL_NAME": "cars"},
        {"PENNANT_REGISTRY_URL": NOWHERE},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_a_rollout_came_to_is_no_other_rollouts(scene, other):
    scene.pod(**BUNDLE_ONLY)
    asked = scene.asked
    pod = scene.pod(**BUNDLE_ONLY, **other)
    if other.get("PENNANT_REGISTRY_URL") == NOWHERE:
        assert pod.message["reason"] == "DownloadFailed"
    else:
        assert not pod.message["cached"]
        assert scene.asked > asked
        assert len(scene.entries("bundles")) == 1


def test_a_source_that_is_not_allowed_is_not_taken_from_the_cache_either(scene):
    first = scene.pod(**BUNDLE_ONLY)
    pinned = {"PENNANT_PINNED_SHA256": first.message["digest"]}
    pod = scene.pod(**BUNDLE_ONLY, **pinned, PENNANT_ALLOWED_SOURCES="s3://elsewhere/")
    assert pod.message["reason"] == "SourceNotAllowed"
    assert not pod.model_path.exists()


@pytest.mark.parametrize("digest", [OTHER, "../../../etc", "no digest"])
def test_a_digest_that_the_bundle_has_not_is_refused_as_ever(scene, digest):
    pod = scene.pod(**BUNDLE_ONLY, PENNANT_MODEL_SHA256=digest)
    assert pod.message["reason"] == "DigestMismatch"
    assert scene.entries("bundles") == []


@pytest.mark.parametrize("damage", ["requirements.txt", "record.json", "registered_model_meta"])
def test_a_damaged_bundle_is_made_anew(scene, damage):
    scene.pod(**BUNDLE_ONLY)
    (entry,) = scene.entries("bundles")
    path = entry / ("" if damage == "record.json" else "files") / damage
    path.write_text("damaged")
    pod = scene.pod(**BUNDLE_ONLY)
    assert (pod.model_path / "requirements.txt").read_bytes() == b"alpha\n", pod.log
    assert not pod.message["cached"]
    assert f"{entry} is damaged" in pod.log
    assert scene.pod(**BUNDLE_ONLY).message["cached"]


def test_a_damaged_environment_is_made_anew(scene):
    scene.pod()
    (entry,) = scene.entries("environments")
    (compiled,) = (entry / "files" / "alpha" / "__pycache__").glob("*.pyc")
    for path in (compiled, entry / "files" / "alpha" / "__init__.py"):
        damage = b"x" * path.stat().st_size
        path.write_bytes(damage)  # in uv's folder, too, which has the same file
        pod = scene.pod()
        assert pod.is_whole(), pod.log
        assert f"{entry} is damaged" in pod.log
        assert path.read_bytes() != damage


def test_a_damaged_record_of_an_environment_is_not_reported(scene):
    """What is reported is pinned, and all later pods install it."""
    first = scene.pod()
    (entry,) = scene.entries("environments")
    record = json.loads((entry / "record.json").read_text())
    for damaged in ("alpha==1.0", record["content"]["wheels"][0][:-1] + "!"):
        content = record["content"] | {"wheels": [damaged, *record["content"]["wheels"][1:]]}
        (entry / "record.json").write_text(json.dumps(record | {"content": content}))
        pod = scene.pod()
        assert pod.is_whole(), pod.log
        assert f"{entry} is damaged" in pod.log
        assert pod.message["environment"]["pins"] == first.message["environment"]["pins"]


def test_names_that_break_lines_for_python_are_whole_too(scene):
    """In a cache each file is compared with the list of its wheel."""
    files = {"alpha/__init__.py": '__version__ = "1.0"\n', "alpha/a\u2028b.txt": ""}
    wheel(scene.folder / "wheels", "alpha", "1.0", files=files)
    pod = scene.pod()
    assert pod.is_whole(), pod.log
    assert pod.environment.is_symlink()


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_text("")], ids=["gone", "empty"]
)
def test_what_uv_cannot_install_from_its_folder_is_downloaded_anew(scene, damage):
    scene.pod()
    (entry,) = scene.entries("environments")
    shutil.rmtree(entry)
    (listed,) = (scene.cache / "uv").glob("archive-v0/*/alpha-1.0.dist-info/WHEEL")
    damage(listed)
    pod = scene.pod()
    assert pod.is_whole(), pod.log
    assert pod.environment.is_symlink()


def mounted(scene, mount):
    """A command in front of `fetch` that mounts something over the cache."""
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"',
            str(scene.cache)]  # fmt: skip


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'


@pytest.mark.parametrize(
    "mount", [READ_ONLY, 'mount -t tmpfs -o size=4k,nr_inodes=4 none "$0"'], ids=["ro", "full"]
)
def test_a_pod_whose_cache_takes_nothing_does_without(scene, mount):
    scene.cache.mkdir()
    with scene.starting(under=mounted(scene, mount)) as pod:
        pod.ended()
    assert pod.is_whole(), pod.log
    assert not pod.model_path.is_symlink()
    assert f"go without the cache {scene.cache}" in pod.log


def test_what_is_in_a_read_only_cache_is_used(scene):
    scene.pod()
    asked = scene.asked
    with scene.starting(under=mounted(scene, READ_ONLY)) as pod:
        pod.ended()
    assert pod.is_whole(), pod.log
    assert pod.message["cached"]
    assert scene.asked == asked


def test_what_has_no_room_goes_to_the_pods_own_volume(scene):
    pod = scene.pod(PENNANT_CACHE_SIZE="20480")
    assert pod.is_whole(), pod.log
    assert pod.model_path.is_symlink()
    assert not pod.environment.is_symlink()
    assert "maxSize, which is 20480 bytes" in pod.log
    assert scene.entries("environments") == []


def test_a_server_of_ones_own_gets_copies(scene):
    scene.pod(**BUNDLE_ONLY)
    pod = scene.pod(**BUNDLE_ONLY, PENNANT_CACHE_USE="copy")
    assert pod.message["cached"]
    assert not pod.model_path.is_symlink()
    assert (pod.model_path / "requirements.txt").read_bytes() == b"alpha\n"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PENNANT_CACHE_SIZE", "10Gi"), ("PENNANT_CACHE_SIZE", "0"), ("PENNANT_CACHE_USE", "move")],
)
def test_a_setting_that_is_none_is_named(scene, variable, value):
    assert variable in scene.pod(**BUNDLE_ONLY, **{variable: value}).message["message"]
