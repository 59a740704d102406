"""Publishing makes room, and removes what killed processes left; who uses something keeps it."""

from __future__ import annotations

import os
import time

import pytest

from pennant_serving.cache import entries, incoming, locks, publication, removing, wheels
from pennant_serving.cache.eviction import LATELY_SECONDS
from pennant_serving.cache.publication import Publication
from pennant_serving.cache.settings import CacheSettings

pytestmark = pytest.mark.unit

NAMES = [digit * 64 for digit in "0123"]
ENTRY_BYTES = 4 * entries.BLOCK_BYTES


@pytest.fixture
def cache(tmp_path):
    """With room for two entries."""
    return CacheSettings(tmp_path / "cache", size=2 * ENTRY_BYTES)


def publish(cache, name):
    with incoming.making(cache.path) as folder:
        files = folder / "entry" / "files"
        files.mkdir(parents=True)
        (files / "any").write_text(name)
        return publication.publish(cache, folder / "entry", "bundles", name, {})


def names(cache):
    return sorted(path.name for path in (cache.path / "bundles").iterdir())


def age(cache, name):
    long_ago = time.time() - 2 * LATELY_SECONDS
    os.utime(cache.path / "bundles" / name / "record.json", (long_ago, long_ago))


def downloaded_by_uv(cache, size=entries.BLOCK_BYTES):
    folder = wheels.folder_of(cache.path) / "archive"
    folder.mkdir(parents=True)
    (folder / "wheel").write_bytes(b"x" * size)


def test_what_was_used_last_longest_ago_makes_room(cache):
    for name in NAMES[:2]:
        publish(cache, name)
    assert publish(cache, NAMES[2]) is Publication.NO_ROOM
    age(cache, NAMES[1])
    assert publish(cache, NAMES[2]) is Publication.PUBLISHED
    assert names(cache) == [NAMES[0], NAMES[2]]


def test_what_uv_downloaded_makes_room_first(cache):
    publish(cache, NAMES[0])
    age(cache, NAMES[0])
    downloaded_by_uv(cache)
    assert publish(cache, NAMES[1]) is Publication.PUBLISHED
    assert names(cache) == NAMES[:2]
    assert not wheels.folder_of(cache.path).exists()


def test_what_uv_downloaded_stays_while_it_runs(cache):
    publish(cache, NAMES[0])
    downloaded_by_uv(cache)
    with wheels.running(cache.path) as folder:
        assert publish(cache, NAMES[1]) is Publication.NO_ROOM
        assert folder.exists()


def test_what_an_environment_has_of_uvs_counts_once(cache):
    publish(cache, NAMES[0])
    downloaded_by_uv(cache)
    wheel = wheels.folder_of(cache.path) / "archive" / "wheel"
    before = wheels.stored(cache.path).bytes
    (cache.path / "bundles" / NAMES[0] / "files" / "linked").hardlink_to(wheel)
    assert wheels.stored(cache.path).bytes == before - entries.BLOCK_BYTES


def test_what_is_published_already_stays_as_it_is(cache):
    publish(cache, NAMES[0])
    before = (cache.path / "bundles" / NAMES[0]).stat()
    assert publish(cache, NAMES[0]) is Publication.THERE
    assert (cache.path / "bundles" / NAMES[0]).stat().st_ino == before.st_ino


def test_who_has_seen_a_damaged_one_removes_none_that_has_come_in_its_place(cache):
    publish(cache, NAMES[0])
    entry = cache.path / "bundles" / NAMES[0]
    with entries.in_use(entry) as opened:
        damaged = os.fstat(opened)
        entry.rename(cache.path / "away")
    publish(cache, NAMES[0])
    assert not removing.discard(cache.path, entry, damaged)
    assert entry.exists()


def test_a_damaged_one_that_somebody_uses_stays(cache):
    publish(cache, NAMES[0])
    entry = cache.path / "bundles" / NAMES[0]
    with entries.in_use(entry) as opened:
        assert not removing.discard(cache.path, entry, os.fstat(opened))
    assert removing.discard(cache.path, entry, (entry / "record.json").stat())
    assert names(cache) == []


def test_what_killed_processes_left_is_removed_and_what_is_being_made_is_not(cache):
    publish(cache, NAMES[0])
    (cache.path / "incoming" / "ab").mkdir()
    (cache.path / "incoming" / "cd.lock").write_text("")
    (cache.path / "locks" / "bundles-x.lock").write_text("")
    with incoming.making(cache.path) as folder:
        publish(cache, NAMES[1])
        assert sorted(path.stem for path in folder.parent.iterdir()) == [folder.name, folder.name]
    assert list((cache.path / "locks").iterdir()) == [cache.path / "locks" / "publishing.lock"]


def test_what_somebody_else_put_there_is_in_nobodys_way(cache):
    publish(cache, NAMES[0])
    for path in ("bundles/a file", "incoming/a file", "rollouts.txt"):
        (cache.path / path).write_text("")
    for path in ("bundles/empty", "locks/folder", f"bundles/{NAMES[1]}/files"):
        (cache.path / path).mkdir(parents=True)
    assert publish(cache, NAMES[1]) is Publication.PUBLISHED
    assert (cache.path / "bundles" / NAMES[1] / "record.json").is_file()


def test_a_lock_whose_file_went_is_no_lock(tmp_path):
    path = tmp_path / "lock"
    with locks.temporary(path, 0) as had:
        assert had
        with locks.temporary(path, 0) as by_another:
            assert not by_another
        assert path.exists()
    assert not path.exists()
