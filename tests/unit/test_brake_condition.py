"""What a ModelRegistry says of its brake, what the next process reads in it, and its fields."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.registry.brake import (
    MAX_SHOWN_ALIASES,
    UNBRAKED,
    BrakeState,
    Position,
    RecordedBrake,
    brake_condition,
    is_elsewhere,
    move_message,
    recorded_brake,
)
from pennant_operator.decide.registry.health import Health, registry_status
from pennant_operator.decide.registry.registries import InvalidRegistryError, parse_registry
from pennant_operator.decide.seen.spec import Watch
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def alias(model: str) -> Watch:
    return Watch("default", model, alias="production")


def test_the_condition_names_the_first_aliases_and_what_to_do():
    names = [f"m00{number}" for number in range(MAX_SHOWN_ALIASES)]
    shown = [move_message(alias(names[0]), (("7", 1),), ("6", 1))]
    shown += [move_message(alias(name), (("7", 0),), None) for name in names[1:]]
    state = BrakeState(on=True, followed=10, elsewhere=6, shown=tuple(shown))
    condition = brake_condition(state, "default")
    assert (condition["status"], condition["reason"]) == ("True", "AliasesMoved")
    assert condition["message"] == (
        "So many aliases moved or vanished within one poll that this looks like a restored or "
        "emptied database: 6 of 10 that are followed are not where they were: alias production of "
        "m000 version 6 (was 7); alias production of m001 nowhere (was 7); alias production of "
        "m002 nowhere (was 7); alias production of m003 nowhere (was 7); alias production of m004 "
        "nowhere (was 7); and 1 more. Nothing of this registry is rolled out. Have them put back, "
        "and this ends by itself; if it is work, create a RolloutAction with action Resume and "
        "registry default."
    )


@pytest.mark.parametrize(
    ("state", "recorded"),
    [
        (BrakeState(on=True), RecordedBrake(on=True)),
        (BrakeState(), UNBRAKED),
        (BrakeState(off=True), UNBRAKED),
        (BrakeState(resumed=True), RecordedBrake(resumed=NOW)),
    ],
)
def test_what_its_status_says_is_what_the_next_process_reads(
    state: BrakeState, recorded: RecordedBrake
):
    registry = {"metadata": {"name": "default", "generation": 1}, "spec": {}}
    status = registry_status(registry, Health(brake=state), NOW)
    assert recorded_brake(registry | {"status": status}) == recorded
    silent = Health(brake=None, trouble="no answer")
    later = registry_status(registry | {"status": status}, silent, NOW + timedelta(hours=1))
    assert recorded_brake(registry | {"status": later}) == recorded


def test_a_status_that_somebody_wrote_is_no_reason_to_fail():
    condition = {"type": "Braked", "status": "False", "reason": "Resumed"}
    registry = {"status": {"conditions": [{**condition, "lastTransitionTime": "9999-99-99"}]}}
    assert recorded_brake(registry) == UNBRAKED


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"brake": {"share": "0"}}, "spec.brake.share '0' is not above 0"),
        ({"brake": {"share": "20%"}}, "spec.brake.share '20%'"),
        ({"brake": {"share": "NaN"}}, "spec.brake.share 'NaN'"),
        ({"brake": {"minimum": 0}}, "spec.brake.minimum 0 is too small"),
        ({"maxConcurrentRollouts": 0}, "spec.maxConcurrentRollouts 0 is too small"),
    ],
)
def test_what_cannot_be_used_is_named(spec: dict[str, Any], message: str):
    registry = {"metadata": {"name": "default"}, "spec": {"url": "http://mlflow", **spec}}
    with pytest.raises(InvalidRegistryError, match=message.replace("'", ".")):
        parse_registry(registry)


POSITIONS = st.tuples(st.sampled_from("789"), st.sampled_from([0, 1, 2]))


@given(before=st.lists(POSITIONS, max_size=3).map(tuple), now=st.one_of(POSITIONS, st.none()))
def test_an_alias_is_elsewhere_if_no_status_had_it_there(
    before: tuple[Position, ...], now: Position | None
):
    there = now is not None and any(
        each[0] == now[0] and (each[1] == now[1] or not each[1] or not now[1]) for each in before
    )
    assert is_elsewhere(before, now) == (bool(before) and not there)
