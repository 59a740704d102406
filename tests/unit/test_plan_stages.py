"""What is said of a ModelDeployment that follows a stage, or pins a version."""

from dataclasses import replace

import pytest

from pennant_operator.decide.seen.spec import InvalidSpecError, Watch, parse_spec, watch_of
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit

STAGE = {"name": "news", "stage": "Production"}
PINNED = {"name": "news", "version": "7"}


def following(model: dict, desired=None) -> Simulation:
    sim = Simulation(desired or version(7), owner=model_deployment(model=model))
    sim.run(4)
    return sim


def in_sync(sim: Simulation) -> tuple[str, str]:
    condition = next(c for c in sim.status["conditions"] if c["type"] == "AliasInSync")
    return condition["reason"], condition["message"]


def test_a_stage_in_sync_says_which_version_it_holds():
    sim = following(STAGE)
    assert in_sync(sim) == ("InSync", "stage Production holds version 7, which serves")
    assert sim.events[0].message == "stage Production holds version 7 of news"


def test_competing_versions_are_named_and_the_highest_serves():
    sim = following(STAGE, replace(version(7), beside=("5", "3")))
    assert in_sync(sim) == (
        "InSync",
        "stage Production holds versions 3, 5 and 7; the highest serves",
    )


def test_of_very_many_competing_versions_the_highest_are_named():
    sim = following(STAGE, replace(version(9999), beside=tuple(map(str, range(9998, 0, -1)))))
    _, message = in_sync(sim)
    assert message.startswith("stage Production holds versions …, 9989, 9990,")
    assert message.endswith(", 9998 and 9999; the highest serves")


def test_a_competitor_that_comes_or_goes_rolls_nothing():
    sim = following(STAGE)
    sim.writes.clear()
    sim.desired = replace(version(7), beside=("5",))
    sim.run(3)
    assert sim.writes == []
    assert in_sync(sim)[1] == "stage Production holds versions 5 and 7; the highest serves"


def test_a_rejected_version_in_a_stage_says_to_archive_it():
    sim = following(STAGE)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = replace(version(8), beside=("7",))
    sim.run(8)
    reason, message = in_sync(sim)
    assert reason == "Rejected"
    assert message.startswith("stage Production holds versions 7 and 8; the highest was rejected (")
    assert message.endswith(
        "version 7 goes on serving; change spec.serving to have version 8 tried again, archive it, "
        "or move a higher one into the stage"
    )


def test_a_pinned_version_says_so():
    assert in_sync(following(PINNED)) == (
        "Pinned",
        "spec.model.version pins version 7, which serves",
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"name": "news"}, "has none of them"),
        ({"name": "news", "alias": "a", "stage": "Production"}, "has alias and stage"),
        ({"name": "news", "stage": "Staging", "version": "7"}, "has stage and version"),
    ],
)
def test_exactly_one_of_alias_stage_and_version_is_followed(model, message):
    owner = model_deployment(model=model)
    assert watch_of(owner) is None
    with pytest.raises(
        InvalidSpecError, match=f"exactly one of alias, stage and version.*{message}"
    ):
        parse_spec(owner)


def test_a_stage_is_watched_as_such():
    assert watch_of(model_deployment(model=STAGE)) == Watch("default", "news", stage="Production")
