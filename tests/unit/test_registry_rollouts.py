"""Waiting for a version by its tags: what ends it, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pennant_registry import rollouts, versions
from pennant_registry.errors import (
    InvalidNameError,
    RegistryUnreachableError,
    RolloutError,
    RolloutHeldError,
    RolloutRejectedError,
    RolloutSupersededError,
    RolloutTimeoutError,
)
from pennant_registry.places import hold_note, parse_place, rejection_note, serving_note
from pennant_registry.rollouts import Awaited, awaited, wait_until_served
from pennant_registry.versions import Version

pytestmark = pytest.mark.unit

WHERE = parse_place("eu-1/news/rec")
OTHER = parse_place("eu-2/news/rec")
SERVING = serving_note("2026-03-01T12:00:00Z", "ab", good=False)
REJECTED = rejection_note("LoadFailed", "no module named x", "2026-03-01T12:00:00Z")
HELD = hold_note("GateNotPassed", "tag approved is not set")


def version(number: int = 8, **tags: str) -> Version:
    """Tags are of the places `where` and `other`."""
    keys = {"where": WHERE.tag, "other": OTHER.tag}
    known = {keys[name]: value for name, value in tags.items()}
    return Version("news", number, None, "", known, created=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class Scene:
    """What the registry answers, look by look; the last answer stands. Sleeping takes no time."""

    answers: list[Version | Exception | None]
    clock: float = 0.0
    looks: int = field(default=0)

    def holders(self, _client: Any, _name: str) -> list[Version]:
        answer = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return [answer] if answer else []

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def __str__(self) -> str:
        return "alias production"


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scene]:
    def wait(
        *answers: Version | Exception | None,
        before: Version | None = None,
        limit: Awaited = Awaited(600, WHERE),  # noqa: B008 - frozen
        others: tuple[Version, ...] = (),
        moved: bool = True,
    ) -> Scene:
        scene = Scene([*answers])
        monkeypatch.setattr(rollouts.time, "monotonic", lambda: scene.clock)
        monkeypatch.setattr(rollouts.time, "sleep", scene.sleep)
        monkeypatch.setattr(versions, "of_model", lambda _client, _name: others)
        client, of = None, scene
        wait_until_served(client, before or version(), of, limit, moved=moved)  # type: ignore[arg-type]
        return scene

    return wait


def test_it_returns_when_the_place_says_that_it_serves(waiting: Callable[..., Scene]):
    scene = waiting(version(), version(other=SERVING), version(where=SERVING))
    assert (scene.looks, scene.clock) == (3, 2 * rollouts.POLL_SECONDS)


@pytest.mark.parametrize(
    ("note", "error"), [(HELD, RolloutHeldError), (REJECTED, RolloutRejectedError)]
)
def test_what_it_is_not_served_for_is_raised_with_the_sentence(
    waiting: Callable[..., Scene], note: str, error: type[RolloutError]
):
    with pytest.raises(error) as raised:
        waiting(version(), version(where=note))
    assert str(raised.value) == f"version 8 of news at eu-1/news/rec: {note}"


def test_what_was_said_of_an_earlier_rollout_of_it_is_waited_over(
    waiting: Callable[..., Scene],
):
    before, anew = version(where=REJECTED), version(where=REJECTED.replace("12:00", "13:00"))
    waiting(before, version(), version(where=SERVING), before=before)
    with pytest.raises(RolloutRejectedError):
        waiting(before, anew, before=before)


def test_where_the_alias_was_there_already_what_is_said_is_said_of_it(
    waiting: Callable[..., Scene],
):
    before = version(where=REJECTED)
    with pytest.raises(RolloutRejectedError):
        waiting(before, before=before, moved=False)


def test_what_goes_on_serving_while_another_was_tried_is_served_at_once(
    waiting: Callable[..., Scene],
):
    before = version(where=SERVING)
    assert waiting(before, before=before).looks == 1


def test_a_tag_that_was_copied_with_its_version_is_not_gone_by(waiting: Callable[..., Scene]):
    copied = replace(version(where=SERVING), created=datetime(2026, 5, 1, tzinfo=UTC))
    with pytest.raises(RolloutTimeoutError):
        waiting(copied)


@pytest.mark.parametrize(
    ("by", "now"), [(version(9), "is at version 9"), (None, "holds no version")]
)
def test_an_alias_that_moved_on_ends_it(
    waiting: Callable[..., Scene], by: Version | None, now: str
):
    with pytest.raises(RolloutSupersededError, match=f"alias production {now} by now"):
        waiting(version(), by)


def test_it_ends_when_its_time_is_over_and_says_what_is_to_be_looked_at(
    waiting: Callable[..., Scene],
):
    with pytest.raises(RolloutTimeoutError) as raised:
        waiting(version())
    assert str(raised.value) == (
        "version 8 of news does not serve at eu-1/news/rec after 600 s: nothing is said of it"
        " there. See kubectl describe of the ModelDeployment, and that spec.writeBack of its"
        " ModelRegistry is set"
    )


def test_a_registry_that_is_away_meanwhile_is_asked_again(waiting: Callable[..., Scene]):
    waiting(RegistryUnreachableError("no answer"), version(where=SERVING))
    with pytest.raises(RolloutTimeoutError, match="no answer"):
        waiting(RegistryUnreachableError("no answer"))
    with pytest.raises(RolloutTimeoutError, match="nothing is said of it there"):
        waiting(RegistryUnreachableError("no answer"), version())


def test_the_only_place_that_a_version_of_the_model_speaks_of_is_meant(
    waiting: Callable[..., Scene],
):
    limit = Awaited(60, None)
    waiting(version(where=SERVING), limit=limit, others=(version(7, where=SERVING),))
    with pytest.raises(RolloutTimeoutError, match="at any place"):
        waiting(version(), limit=limit)


def test_among_several_places_one_has_to_be_named(waiting: Callable[..., Scene]):
    others = (version(7, where=SERVING), version(6, other=HELD))
    with pytest.raises(InvalidNameError) as raised:
        waiting(version(), limit=Awaited(60, None), others=others)
    assert str(raised.value) == (
        "news is served at eu-1/news/rec, eu-2/news/rec: say which one to wait for, such as"
        " where='eu-1/news/rec'"
    )


def test_what_is_to_be_waited_for_is_read_before_anything_moves():
    assert awaited(None, None) is None
    assert awaited("10m", None) == Awaited(600, None)
    assert awaited("90s", "eu-1/news/rec") == Awaited(90, WHERE)
    for wait, where in (
        (None, "eu-1/news/rec"),
        ("ten", None),
        ("1m", "news/rec"),
        ("1m", "A/b/c"),
    ):
        with pytest.raises(InvalidNameError):
            awaited(wait, where)
