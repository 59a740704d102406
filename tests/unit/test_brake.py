"""When a registry's brake takes hold, what it counts, and when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.registry.brake import (
    UNBRAKED,
    BrakeSpec,
    BrakeState,
    RecordedBrake,
    brake_condition,
)
from pennant_operator.decide.seen.observed import Absent, Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.poll.brake import RESUME_GRACE, AliasBrake
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.recorded import Pointed
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

GONE = Absent("AliasNotSet", "the alias points at nothing")
SPEC = BrakeSpec()
Where = dict[str, int | None]


def alias(model: str) -> Watch:
    return Watch("default", model, alias="production")


class Registry:
    """Models by name, each with the version that its alias points at; None: it points at none."""

    def __init__(
        self,
        where: Where,
        spec: BrakeSpec = SPEC,
        recorded: RecordedBrake = UNBRAKED,
        before: Where | None = None,
        now: datetime = NOW,
    ) -> None:
        self.where, self.known, self.time = dict(where), Known(), 0.0
        statuses = before or {}
        self.brake = AliasBrake(
            spec,
            self.known,
            lambda watch: ((str(at), 0),) if (at := statuses.get(watch.model)) else (),
            recorded,
            lambda: now + timedelta(seconds=self.time),
        )
        self.watches = {alias(model) for model in where}

    def move(self, models: Iterable[str], to: int | None) -> None:
        self.where.update(dict.fromkeys(models, to))

    def poll(self, *, listed: bool = True, complete: bool = True) -> list[str]:
        """All of it; the models whose state was shown before the end."""
        self.brake.begin(self.watches, whole=True)
        if listed:
            aliases = {m: {"production": str(at)} if at else {} for m, at in self.where.items()}
            there = {m: RegisteredModel(1, 1, at, {}) for m, at in aliases.items()}
            self.brake.listed(set(there), there)
        shown = [each.model for watch in sorted(self.watches, key=str)
                 for each in self._answer(watch)]  # fmt: skip
        self.brake.end(complete=complete)
        self.time += 15
        return shown

    def hint(self, model: str) -> None:
        """A webhook says that something happened to it."""
        self.brake.begin({alias(model)}, whole=False)
        self._answer(alias(model))
        self.brake.end(complete=True)

    def _answer(self, watch: Watch) -> list[Watch]:
        at = self.where[watch.model]
        if at is None:
            self.known.doubted(watch, GONE, self.time)
        else:
            self.known.answered(watch, Pointed(1, str(at)), (1, 0, str(at)))
        return self.brake.answered(watch)

    @property
    def state(self) -> BrakeState:
        state = self.brake.state()
        assert state is not None
        return state


def models(count: int) -> list[str]:
    return [f"m{number:03}" for number in range(count)]


def followed(count: int, **how: Any) -> Registry:
    """All at version 7, and polled once."""
    registry = Registry(dict.fromkeys(models(count), 7), **how)
    registry.poll()
    return registry


@pytest.mark.parametrize("to", [6, None])
@pytest.mark.parametrize(
    ("of", "moved", "braked"),
    [(15, 3, True), (16, 3, False), (10, 2, False), (3, 3, True), (2, 2, False), (200, 39, False),
     (200, 40, True)],
)  # fmt: skip
def test_a_fifth_of_all_aliases_and_three_at_least(of: int, moved: int, to: Any, braked: bool):
    registry = followed(of)
    registry.move(models(moved), to)
    registry.poll()
    assert registry.brake.on == braked
    assert registry.state.on == braked


def test_moved_and_vanished_ones_count_together():
    registry = followed(20)
    registry.move(models(2), 6)
    registry.move(models(4)[2:], None)
    registry.poll()
    assert registry.brake.on


def test_it_ends_when_all_are_where_they_were_and_no_sooner():
    registry = followed(10)
    registry.move(models(5), 6)
    for _ in range(3):
        registry.poll()
        assert registry.brake.on
    registry.move(models(4), 7)
    registry.poll()
    assert registry.brake.on
    registry.move(models(5), 7)
    registry.poll()
    assert not registry.brake.on
    assert registry.state == BrakeState(followed=10)


def test_what_a_person_lets_go_on_is_what_the_next_poll_is_compared_with():
    registry = followed(10)
    registry.move(models(5), 6)
    registry.poll()
    registry.brake.resume()
    assert registry.state.resumed
    registry.poll()
    assert not registry.brake.on
    registry.move(models(5), 7)
    registry.poll()
    assert registry.brake.on
    assert not registry.state.resumed


def test_moves_that_webhooks_tell_of_count_within_one_poll_interval():
    registry = followed(10)
    for model in models(3):
        assert not registry.brake.on
        registry.move([model], 8)
        registry.hint(model)
    assert registry.brake.on
    others = followed(10)
    for model in models(10):
        others.move([model], 8)
        others.hint(model)
        others.time += 61  # though the next poll is not due
        assert not others.brake.on


def test_a_poll_that_is_not_answered_in_full_ends_and_begins_nothing():
    registry = followed(10)
    registry.move(models(3), 6)
    registry.poll()
    registry.move(models(3), 7)
    registry.poll(complete=False)
    assert registry.brake.on
    registry.poll()
    assert not registry.brake.on


def test_what_is_not_answered_has_not_moved():
    registry = followed(10)
    for model in models(5):
        registry.known.doubted(alias(model), Unresolved("ModelNotReadable", "403"), 0.0)
    registry.brake.begin(registry.watches, whole=True)
    registry.brake.end(complete=True)
    assert not registry.brake.on


def test_a_first_version_is_no_move_and_a_pinned_one_no_alias():
    registry = followed(10)
    new = ("new1", "new2", "new3")
    registry.where.update(dict.fromkeys(new, None))
    registry.watches |= {alias(model) for model in new}
    registry.poll()
    registry.move(new, 1)
    registry.poll()
    assert not registry.brake.on
    pinned = {Watch("default", model, version="1") for model in models(10)}
    registry.brake.begin(registry.watches | pinned, whole=True)
    assert registry.brake.answered(min(pinned, key=str)) == [min(pinned, key=str)]
    registry.brake.end(complete=True)
    assert registry.state.followed == 13


def test_whoever_follows_another_alias_has_moved_none():
    registry = followed(10)
    registry.watches = {alias(model) for model in models(5)}
    registry.poll()
    assert (registry.brake.on, registry.state.followed) == (False, 5)


def test_a_share_of_one_switches_it_off_whatever_it_was():
    registry = followed(10, spec=BrakeSpec(Decimal("1.0")), recorded=RecordedBrake(on=True))
    registry.move(models(10), None)
    registry.poll()
    assert not registry.brake.on
    assert brake_condition(registry.state, "default")["reason"] == "Off"


@pytest.mark.parametrize("recorded", [RecordedBrake(on=True), UNBRAKED])
def test_a_new_process_knows_by_the_statuses_where_they_were(recorded: RecordedBrake):
    before: Where = dict.fromkeys(models(10), 7)
    registry = Registry({**before, **dict.fromkeys(models(5), 6)}, SPEC, recorded, before)
    assert registry.brake.on == recorded.on
    assert registry.brake.state() is None  # what was said stays said until it is counted
    registry.poll()
    assert registry.brake.on
    registry.move(models(5), 7)
    registry.poll()
    assert not registry.brake.on


def test_a_brake_that_held_holds_until_a_poll_is_answered():
    registry = Registry(dict.fromkeys(models(9), 7), SPEC, RecordedBrake(on=True))
    registry.poll(complete=False)
    assert registry.brake.on
    registry.poll()
    assert not registry.brake.on


@pytest.mark.parametrize(("since", "braked"), [(RESUME_GRACE / 2, False), (RESUME_GRACE * 2, True)])
def test_soon_after_a_person_let_it_go_on_statuses_are_no_proof(since: timedelta, braked: bool):
    before: Where = dict.fromkeys(models(10), 7)
    registry = Registry(
        dict.fromkeys(models(10), 6), SPEC, RecordedBrake(resumed=NOW), before, NOW + since
    )
    registry.poll()
    assert registry.brake.on == braked


def test_within_a_poll_nothing_is_shown_that_the_rest_of_it_could_brake():
    registry = followed(10)
    registry.move(models(2), 8)
    assert registry.poll() == models(10)  # one request said where all of them are
    registry.move(models(2), 9)
    shown = registry.poll(listed=False)
    assert shown.index(models(1)[0]) > shown.index(models(3)[2])
    assert sorted(shown) == models(10)


def test_what_moved_is_shown_as_it_was_until_that_is_decided():
    registry = followed(10)
    registry.move(models(3), 8)
    registry.brake.begin(registry.watches, whole=True)
    first = alias(models(1)[0])
    assert registry._answer(first) == []
    assert registry.brake.shown(first).state == Pointed(1, "7")
    for watch in sorted(registry.watches, key=str)[1:]:
        registry._answer(watch)
    assert registry.brake.on
    registry.brake.end(complete=True)
    assert registry.brake.shown(first).state == Pointed(1, "8")


STEPS = st.lists(
    st.tuples(st.sampled_from(models(8)), st.sampled_from([6, 7, 8, None]), st.booleans()),
    max_size=40,
)


@given(STEPS)
def test_whenever_a_new_process_takes_over_it_decides_the_same(steps: list[Any]):
    """Its statuses: where each alias was when the brake took hold, or with the last poll."""
    registry = followed(8)
    for model, to, restarts in steps:
        registry.move([model], to)
        registry.poll()
        statuses = {watch.model: int(at[0][0]) for watch, at in registry.known.places.items() if at}
        if restarts:
            on = registry.brake.on
            registry = Registry(registry.where, SPEC, RecordedBrake(on=on), statuses)
            registry.poll()
            assert registry.brake.on == on
