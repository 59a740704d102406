"""What comes of a request counts for the moment when it began, whenever it ended."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pennant_testing.cluster import sampler
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.truth.kstatus import verdict

pytestmark = pytest.mark.unit

OF = "newsreco/news uid"


class World:
    """A clock, and the lines that the sampler is given at its times."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ended = False
        self._takes: list[Any] = []

    def monotonic(self) -> float:
        return self.now

    def stream(self, *_: str, take: Any, writable: bool = False) -> World:
        self._takes.append(take)
        return self

    def write_line(self, _: str) -> None:
        """Whom to ask is not of interest here."""

    def says(self, version: str, *, at: float = 0) -> None:
        """The status says that this version serves."""
        ready = {"type": "Ready", "status": "True", "reason": "Serving"}
        serving = {"version": version, "revision": f"of-{version}"}
        status = {"conditions": [ready], "serving": serving, "readyReplicas": 1}
        meta = {"namespace": "newsreco", "name": "news", "uid": "uid", "generation": 1}
        thing = {"metadata": meta, "spec": {"model": {}}, "status": status}
        self.now = at
        self._takes[1]([json.dumps({"type": "MODIFIED", "object": thing})])

    def asked(self, began: float, ended: float, version: str | None) -> None:
        """A request, and the version that answered it."""
        self.now = ended
        seen = [OF, version is not None, version or "", ended - began]
        self._takes[0]([json.dumps(seen)])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    clock = World()
    monkeypatch.setattr(sampler, "time", clock)
    return clock


@pytest.fixture
def watching(world: World) -> Sampler:
    kube: Any = SimpleNamespace(stream=world.stream)
    watcher = Sampler(kube, verdict)
    watcher.look_at("newsreco")
    world.says("1")
    return watcher


def test_one_request_that_is_given_up_late_does_not_make_a_short_outage_long(
    world: World, watching: Sampler
):
    world.asked(1.0, 1.1, None)
    world.asked(2.0, 2.1, "1")
    world.asked(1.5, 6.5, None)
    assert watching.news() == []


def test_an_outage_in_which_every_request_is_given_up_late_is_as_long_as_it_was(
    world: World, watching: Sampler
):
    for tenth in range(10, 56, 5):
        world.asked(tenth / 10, tenth / 10 + 5, None)
    world.asked(6.0, 6.1, "1")
    (found,) = watching.news()
    assert (found.begun, found.ended) == (pytest.approx(1.0), pytest.approx(5.5))
    assert watching.news() == []


def test_what_is_borne_is_no_news_until_it_lasts_longer(world: World, watching: Sampler):
    watching.bear("newsreco", "news", 20)
    for second in range(1, 22):
        world.asked(second, second + 0.1, "2")
    assert watching.news() == []
    world.asked(22, 22.1, "2")
    assert len(watching.news()) == 1


def test_the_newest_answer_is_to_the_newest_request(world: World, watching: Sampler):
    world.asked(3, 3.1, "1")
    world.asked(1, 6, None)
    assert watching.answering("newsreco", "news") == "1"
    world.asked(7, 7.1, "2")
    assert watching.answering("newsreco", "news") == "2"
    assert watching.answered("newsreco", "news") == {"1", "2"}
    assert watching.answered("newsreco", "other") == set()


def test_a_status_that_kstatus_misreads_is_news_once(world: World, watching: Sampler):
    (planted,) = watching.misread()  # the status says nothing of what was asked
    assert "no version was found" in planted.problem
    assert watching.misread() == []
    assert str(watching.verdicts()) == "1 statuses judged, 1 wrong"
