"""Holding, letting go and a rollback that stays, on real servers of both majors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_registry import MetricMin, errors
from pennant_registry.hold_form import holds_among, read_hold

pytestmark = pytest.mark.integration

ALIAS, KEY = "production", "pennant.hold.production"


@pytest.fixture
def actor(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Who calls the library from now on."""
    return lambda user: monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)


@pytest.fixture(params=[{"alias": ALIAS}, {"stage": "Production"}], ids=["alias", "stage"])
def of(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


def served(name: str, of: dict[str, str]) -> int | None:
    resolved = pennant_registry.resolve(name, **of)
    return resolved.version if resolved else None


def test_on_hold_nothing_is_promoted_until_it_is_released(
    registered: Callable[..., int],
    name: str,
    of: dict[str, str],
    actor: Callable[[str], None],
):
    actor("ann")
    pennant_registry.promote(registered("one"), name, **of)
    registered("two")
    hold = pennant_registry.hold(name, **of, reason="incident 12")
    assert hold.by is not None
    assert hold.by.startswith("ann@")
    with pytest.raises(
        errors.OnHoldError, match=f"held in the registry by {hold.by} since .*: incident 12; rel"
    ):
        pennant_registry.promote(2, name, **of)
    assert served(name, of) == 1
    assert pennant_registry.promote(1, name, **of).version == 1  # it is there already
    assert pennant_registry.release(name, **of) == hold
    assert pennant_registry.promote(2, name, **of).version == 2


def test_a_rollback_stays_until_it_is_released_and_other_versions_go_out(
    registered: Callable[..., int], name: str, of: dict[str, str], client: MlflowClient
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, **of)
    assert pennant_registry.rollback(name, **of, reason="wrong language").version == 1
    with pytest.raises(errors.OnHoldError, match=r"it is held in the registry .*wrong language"):
        pennant_registry.promote(2, name, **of)  # a nightly job
    assert served(name, of) == 1
    with pytest.raises(errors.NothingToReleaseError, match="there is one on version 2: give"):
        pennant_registry.release(name, **of)
    assert pennant_registry.promote(registered("three"), name, **of).version == 3
    assert pennant_registry.release(name, **of, version=2).reason == "wrong language"
    assert pennant_registry.promote(2, name, **of).version == 2
    assert client.get_registered_model(name).tags == {}


def test_an_override_lets_a_version_through_that_is_on_hold_twice(
    registered: Callable[..., int], name: str, client: MlflowClient
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, ALIAS)
    pennant_registry.hold(name, ALIAS, "incident 12")
    pennant_registry.rollback(name, ALIAS)
    pennant_registry.promote(2, name, ALIAS, override="it was the search index")
    holds = holds_among(client.get_registered_model(name).tags, ALIAS)
    assert (holds.on("2", datetime.now(UTC)), holds.keys) == (None, {""})


def test_an_override_lets_one_version_through_is_recorded_and_the_hold_stands(
    registered: Callable[..., int], name: str, client: MlflowClient
):
    pennant_registry.promote(registered("one"), name, ALIAS)
    registered("two", metrics={"auc": 0.2}), registered("three")
    pennant_registry.hold(name, ALIAS, "incident 12")
    gates = [MetricMin("auc", 0.5)]
    move = pennant_registry.promote(2, name, ALIAS, gates, override="the fix of incident 12")
    assert move.override is not None
    assert move.override.startswith("the fix of incident 12 (held in the registry by ")
    assert move.override.endswith("metric auc is 0.2, and must be at least 0.5)")
    holds = holds_among(client.get_registered_model(name).tags, ALIAS)
    assert holds.on("2", datetime.now(UTC)) is None
    assert holds.on("3", datetime.now(UTC)) is not None
    with pytest.raises(errors.OnHoldError, match="incident 12"):
        pennant_registry.promote(3, name, ALIAS)


def test_an_override_ends_the_hold_on_that_version(
    registered: Callable[..., int], name: str, client: MlflowClient
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, ALIAS)
    pennant_registry.rollback(name, ALIAS)
    pennant_registry.promote(2, name, ALIAS, override="it was the search index")
    assert client.get_registered_model(name).tags == {}


def test_going_back_waits_for_no_hold_and_goes_to_no_version_that_is_on_hold_by_itself(
    registered: Callable[..., int], name: str, of: dict[str, str]
):
    for content in ("one", "two", "three"):
        pennant_registry.promote(registered(content), name, **of)
    pennant_registry.hold(name, **of, reason="incident 12")
    pennant_registry.hold(name, **of, reason="leaks memory", version=2)
    assert pennant_registry.rollback(name, **of).version == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Not before the launch.", r"held in the registry: Not before the launch\.; release"),
        ('{"until": "tomorrow"}', "cannot be read .until 'tomorrow' is no time: write such as 20"),
        (" ", "held in the registry: no reason is given; release"),
    ],
)
def test_whatever_a_person_writes_into_the_tag_holds(
    registered: Callable[..., int], name: str, client: MlflowClient, text: str, words: str
):
    number = registered()
    client.set_registered_model_tag(name, KEY, text)
    with pytest.raises(errors.OnHoldError, match=words):
        pennant_registry.promote(number, name, ALIAS)
    client.delete_registered_model_tag(name, KEY)
    assert pennant_registry.promote(number, name, ALIAS).version == number


def test_a_hold_that_has_ended_holds_nothing_and_anybody_may_hold_anew(
    registered: Callable[..., int], name: str, client: MlflowClient, actor: Callable[[str], None]
):
    number, now = registered(), datetime.now(UTC)
    over = f'{{"by": "ann", "reason": "launch", "until": "{(now - timedelta(1)).isoformat()}"}}'
    client.set_registered_model_tag(name, KEY, over)
    assert pennant_registry.promote(number, name, ALIAS).version == number
    actor("bob")
    until = now + timedelta(days=1)
    hold = pennant_registry.hold(name, ALIAS, "launch", until)
    written = read_hold(client.get_registered_model(name).tags[KEY])
    assert written.until == hold.until == until.replace(microsecond=0)


def test_of_two_who_hold_the_second_is_turned_away_and_the_first_may_go_on_holding(
    registered: Callable[..., int], name: str, actor: Callable[[str], None]
):
    registered()
    actor("ann")
    pennant_registry.hold(name, ALIAS, "incident 12")
    pennant_registry.hold(name, ALIAS, "incident 12, still", datetime.now(UTC) + timedelta(1))
    actor("bob")
    with pytest.raises(errors.OnHoldError, match=r"held .* by ann@.* until .*still: release it f"):
        pennant_registry.hold(name, ALIAS, "mine")
    assert pennant_registry.release(name, ALIAS).reason == "incident 12, still"


def test_a_name_that_no_tag_can_have_is_refused_and_an_odd_one_that_can_is_not(
    registered: Callable[..., int], name: str
):
    number = registered()
    with pytest.raises(errors.InvalidNameError, match="would have 251 characters, and MLflow ta"):
        pennant_registry.hold(name, "a" * 238, "why")
    for odd in ("a" * 237, "hold", "Ünïcode_", "-", "stage"):
        of_version = number if len(odd) < 200 else None
        hold = pennant_registry.hold(name, odd, "why", version=of_version)
        with pytest.raises(errors.OnHoldError):
            pennant_registry.promote(number, name, odd)
        assert pennant_registry.release(name, odd, version=hold.version) == hold


def test_what_is_not_there_is_named(client: MlflowClient, name: str):
    with pytest.raises(errors.VersionMissingError, match="there is no registered model model-"):
        pennant_registry.hold(name, ALIAS, "why")
    client.create_registered_model(name)
    with pytest.raises(errors.NothingToReleaseError, match="no hold on alias production of model-"):
        pennant_registry.release(name, ALIAS)
