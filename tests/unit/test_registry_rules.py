"""The pure rules of the registry library: names, the record of a move, imports."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import pennant_registry
from pennant_registry import Move, Version, names
from pennant_registry.environment import Environment
from pennant_registry.errors import InvalidNameError, NothingToRollBackError, RegistryError
from pennant_registry.moves import is_return, promotion_of, rollback_of, tags_of
from pennant_registry.places import rejection_note, serving_note
from pennant_registry.pointers import Alias, Stage, pointer
from pennant_registry.predecessors import predecessor

pytestmark = pytest.mark.unit

PRODUCTION = Alias("production")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(number: int = 2, *, model: str = "news-recommender", **tags: str) -> Version:
    return Version(model, number, "run", "runs:/run/newsreco.pkl", tags, created=NOON)


def bearing(move: Move, of: Alias | Stage = PRODUCTION, **given: Any) -> Version:
    """The version that bears the record of a move."""
    on = version(int(move.previous or 0) if move.is_rollback else move.version, **given)
    return replace(on, tags=tags_of(move, of, on))


def imported(code: str) -> set[str]:
    """What a fresh process has imported after this code."""
    command = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_importing_all_of_the_library_imports_no_mlflow():
    modules = imported("from pennant_registry import *")
    assert {"pennant_registry.promotion", "pennant_registry.registration"} <= modules
    assert "mlflow" not in modules


def test_what_pods_and_the_operator_need_imports_nothing_else_of_the_library():
    modules = imported("from pennant_registry import digest, names, sources")
    assert {name for name in modules if name.startswith("pennant_registry.")} == {
        f"pennant_registry.{module}" for module in ("digest", "names", "sources")
    }


def test_the_library_has_every_name_that_it_lists_and_no_other():
    assert [name for name in pennant_registry.__all__ if not hasattr(pennant_registry, name)] == []
    assert not hasattr(pennant_registry, "demote")


@pytest.mark.parametrize("alias", ["production", "Champion-2", "a_b"])
def test_an_alias_that_mlflow_takes_has_no_problem(alias: str):
    assert names.alias_problem(alias) is None


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "latest", "Latest", "v1", "V12", "x" * 256])
def test_an_alias_that_mlflow_refuses_is_named_in_the_problem(alias: str):
    problem = names.alias_problem(alias)
    assert problem is not None
    assert repr(alias) in problem


@pytest.mark.parametrize("version", [None, "1", "10", str(names.VERSION_LIMIT)])
def test_a_version_that_mlflow_may_have_has_no_problem(version: str | None):
    assert names.version_problem(version) is None


@pytest.mark.parametrize(
    "version", ["", "0", "07", "-1", "1.5", "v7", "\u0667", str(names.VERSION_LIMIT + 1), "9" * 19]
)
def test_a_version_that_no_mlflow_has_is_named_in_the_problem(version: str):
    problem = names.version_problem(version)
    assert problem is not None
    assert repr(version) in problem


@pytest.mark.parametrize("name", ["", "  ", "\u2028", "...", "a/b", "a:b", ".", "..", "../x"])
def test_a_model_name_that_mlflow_refuses_has_a_problem(name: str):
    assert names.model_name_problem(name) is not None


def test_a_model_name_may_have_spaces_and_dots():
    assert names.model_name_problem("News recommender v1.2") is None


@pytest.mark.parametrize("previous", [None, 1])
def test_a_promotion_reads_back_as_it_was_recorded(previous: int | None):
    move = Move(version=2, previous=previous, by="ana@host", at=NOON)
    assert promotion_of(bearing(move), PRODUCTION) == move


def test_a_rollback_reads_back_from_the_version_that_was_left():
    move = Move(version=1, previous=2, by="ana@host", at=NOON, is_rollback=True)
    assert rollback_of(bearing(move), PRODUCTION) == move


@pytest.mark.parametrize("other", [Alias("staging"), Stage("production")], ids=str)
def test_moves_of_different_aliases_and_stages_do_not_mix(other: Alias | Stage):
    move = Move(version=2, previous=1, by="ana@host", at=NOON)
    assert promotion_of(bearing(move, other), PRODUCTION) is None


@pytest.mark.parametrize(
    "copy",
    [{"name": "other"}, {"version": 3}, {"name": "other", "version": 1}],
    ids=["to another model", "within the model", "to another model's first"],
)
@pytest.mark.parametrize("is_rollback", [False, True])
def test_a_record_that_was_copied_with_its_version_tells_nothing(
    copy: dict[str, Any], is_rollback: bool
):
    move = Move(version=1, previous=2, by="ana@host", at=NOON, is_rollback=is_rollback)
    copied = replace(bearing(move), **copy)
    assert (promotion_of(copied, PRODUCTION), rollback_of(copied, PRODUCTION)) == (None, None)


@pytest.mark.parametrize(
    ("after", "counts"), [(timedelta(0), True), (timedelta(minutes=-5), False)]
)
def test_an_older_record_without_its_owner_counts_unless_it_is_older_than_its_version(
    after: timedelta, counts: bool
):
    bears = bearing(Move(version=2, previous=1, by="ana@host", at=NOON + after))
    tags = {key: value for key, value in bears.tags.items() if "-as." not in key}
    assert (promotion_of(replace(bears, tags=tags), PRODUCTION) is not None) is counts


@pytest.mark.parametrize("at", ["", "yesterday", "2026-03-01T12:00:00"])
def test_what_somebody_wrote_by_hand_and_is_no_time_is_no_record(at: str):
    bears = bearing(Move(version=2, previous=1, by="ana@host", at=NOON))
    by_hand = replace(bears, tags=bears.tags | {"pennant.promoted-at.production": at})
    assert promotion_of(by_hand, PRODUCTION) is None


def after(*steps: tuple[int, int] | int) -> tuple[dict[int, Version], int]:
    """The versions after promotions (a number) and rollbacks (from, to), and which one serves."""
    versions = {number: version(number) for number in range(1, 6)}
    current: int | None = None
    for minute, step in enumerate(steps):
        at = NOON + timedelta(minutes=minute)
        if isinstance(step, tuple):
            move, on = Move(step[1], step[0], "ana", at, is_rollback=True), versions[step[0]]
        else:
            move, on = Move(step, current, "ana", at), versions[step]
        versions[on.version] = replace(on, tags=dict(on.tags) | tags_of(move, PRODUCTION, on))
        current = move.version
    return versions, int(current or 0)


@pytest.mark.parametrize(
    ("steps", "to"),
    [
        ((1, 2), 1),
        ((1, 2, 3), 2),
        ((1, 2, (2, 1), 3), 1),  # and not to 2, which was rolled back from
        ((1, 2, 3, (3, 2)), 1),
        ((1, 2, 3, (3, 2), 4), 2),
        ((1, 2, (2, 1), 2, 3), 2),  # which was promoted again
        ((1, 2, 3, (3, 2), (2, 1), 3, 4), 3),
    ],
)
def test_a_rollback_goes_to_the_last_version_that_was_not_rolled_back_from(
    steps: tuple[Any, ...], to: int
):
    found, serves = after(*steps)
    assert predecessor([found[serves]], PRODUCTION, found.__getitem__).version == to


def test_a_version_that_was_rolled_back_from_is_passed_over_where_a_hand_moved_the_alias():
    found, _ = after(1, 2, 3, (3, 2), (2, 1))
    assert predecessor([found[3]], PRODUCTION, found.__getitem__).version == 1


def test_a_version_that_a_cluster_rejected_is_passed_over_unless_another_one_serves_it():
    found, _ = after(1, 2, 3)
    rejected = {"pennant.eu-1.a.rec": rejection_note("LoadFailed", "why", "2026-03-02T12:00:00Z")}
    serves = {"pennant.eu-2.a.rec": serving_note("2026-03-02T12:00:00Z", None, good=True)}
    found[2] = replace(found[2], tags=found[2].tags | rejected)
    assert predecessor([found[3]], PRODUCTION, found.__getitem__).version == 1
    found[2] = replace(found[2], tags=found[2].tags | serves)
    assert predecessor([found[3]], PRODUCTION, found.__getitem__).version == 2


def test_what_a_copied_tag_says_of_another_version_is_not_gone_by():
    found, _ = after(1, 2, 3)
    rejected = {"pennant.eu-1.a.rec": rejection_note("LoadFailed", "why", "2026-02-02T12:00:00Z")}
    found[2] = replace(found[2], tags=found[2].tags | rejected)
    assert predecessor([found[3]], PRODUCTION, found.__getitem__).version == 2


@pytest.mark.parametrize("steps", [(1,), (1, 2, (2, 1))])
def test_where_no_record_leads_on_a_rollback_says_what_to_do(steps: tuple[Any, ...]):
    found, serves = after(*steps)
    with pytest.raises(NothingToRollBackError, match="promote the version that you want"):
        predecessor([found[serves]], PRODUCTION, found.__getitem__)


def test_records_that_lead_round_in_a_circle_end():
    first = bearing(Move(version=1, previous=2, by="ana", at=NOON))
    second = bearing(Move(version=2, previous=1, by="ana", at=NOON))
    left = Move(version=1, previous=2, by="ana", at=NOON + timedelta(1), is_rollback=True)
    second = replace(second, tags=second.tags | tags_of(left, PRODUCTION, second))
    with pytest.raises(NothingToRollBackError):
        predecessor([first], PRODUCTION, {1: first, 2: second}.__getitem__)


def test_in_a_stage_the_next_one_in_it_is_gone_back_to_unless_it_was_left():
    found, _ = after(1, 2, (2, 1))
    held = [version(4), found[2], found[1]]
    assert predecessor(held, PRODUCTION, found.__getitem__).version == 1


@pytest.mark.parametrize(
    ("steps", "to", "is_one"),
    [
        ((1, 2), 1, True),
        ((1, 2, 3), 1, True),
        ((1, 2), 3, False),  # it never held the alias
        ((1, 2, (2, 1)), 2, False),  # it was left, and is promoted again
        ((1, 2, 3, (3, 2), 4), 3, False),
    ],
)
def test_a_version_that_held_the_alias_before_is_gone_back_to(
    steps: tuple[Any, ...], to: int, is_one: bool
):
    found, serves = after(*steps)
    assert is_return(found[to], found[serves], PRODUCTION) is is_one


@pytest.mark.parametrize("stage", ["production", "Archived", "None", ""])
def test_a_stage_that_nothing_serves_from_is_refused_and_the_others_are_named(stage: str):
    with pytest.raises(InvalidNameError, match="use 'Staging' or 'Production'"):
        pointer("news", None, stage)


@pytest.mark.parametrize("both", [(None, None), ("production", "Production")])
def test_it_is_either_an_alias_or_a_stage(both: tuple[str | None, str | None]):
    with pytest.raises(InvalidNameError, match="either an alias or a stage"):
        pointer("news", *both)


def test_an_empty_model_path_is_no_mount():
    assert Environment.of({"PENNANT_MODEL_PATH": ""}).model_path is None
    assert Environment.of({"PENNANT_MODEL_PATH": "/models/bundle"}).model_path == Path(
        "/models/bundle"
    )


def test_the_registry_user_is_who_promotes():
    assert Environment.of({"MLFLOW_TRACKING_USERNAME": "ana"}).actor.startswith("ana@")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://bob:pw@mlflow:5000", "http://mlflow:5000"),
        ("https://pw@mlflow/a?b=c@d", "https://mlflow/a?b=c@d"),
        ("postgresql+psycopg://bob:pw/#?pw@db:5432/mlflow", "postgresql+psycopg://db:5432/mlflow"),
        ("http://mlflow:5000/api/get?name=a@b", "http://mlflow:5000/api/get?name=a@b"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
        ("models:/news@production", "models:/news@production"),
    ],
)
def test_no_error_tells_the_account_that_is_written_in_an_address(address: str, shown: str):
    error = RegistryError(f"the registry at {address} refused: a request to {address} failed")
    assert str(error) == f"the registry at {shown} refused: a request to {shown} failed"
