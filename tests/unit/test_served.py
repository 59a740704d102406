"""Whether what serves is still registered: who asks, when, and what is said of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Absent, Desired, Observed, Unknown
from pennant_operator.decide.seen.spec import watch_of
from pennant_operator.decide.vocabulary import EventReason, Reason
from pennant_operator.observe.poll.served import ServedVersions, unnamed_serving
from pennant_operator.observe.poll.version_facts import Identity
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, hangs

pytestmark = pytest.mark.unit

SEVEN, KEY, OTHER = Identity("news", "7", 1007), ("team", "rec"), ("team", "other")
GONE = Absent(Reason.ALIAS_NOT_SET, "the alias points at no version.")
NO_MODEL = Absent(Reason.MODEL_NOT_FOUND, "there is no such model.")
SILENT = Unknown(Reason.REGISTRY_UNREACHABLE, "it does not answer")


def asked(sim: Simulation) -> Identity | None:
    seen = sim.observe()
    watch = watch_of(seen.owner)
    assert watch is not None
    return unnamed_serving(seen, watch)


def after(desired: Desired) -> Simulation:
    """Version 7 serves, and the registry says this."""
    sim = serving(7)
    sim.desired = desired
    sim.run(2)
    return sim


@pytest.mark.parametrize(
    ("desired", "wanted"),
    [
        (version(7), None),  # the registry names it
        (GONE, SEVEN),
        (replace(GONE, reason=Reason.STAGE_EMPTY), SEVEN),
        (NO_MODEL, None),  # which says enough, or the database is another one
        (SILENT, None),
    ],
)
def test_it_is_asked_of_a_version_that_serves_and_that_nothing_names(
    desired: Desired, wanted: Identity | None
):
    assert asked(after(desired)) == wanted


def test_it_is_asked_where_another_version_waits_and_not_where_it_comes_up():
    sim = alias_moved(8, hangs)
    sim.run(3)
    assert asked(sim) is None
    sim.behaviour["8"] = fails("LoadFailed")
    sim = alias_moved(8, fails("LoadFailed"))
    sim.run(8)
    assert asked(sim) == SEVEN


def ask(served: ServedVersions, created: int | None) -> set[tuple[str, str]]:
    async def answer() -> int | None:
        return created

    return set(asyncio.run(served.ask(SEVEN, answer)))


def test_it_is_asked_once_and_again_when_its_model_changed():
    served = ServedVersions()
    served.updated("news", 1)
    assert served.look_up(KEY, SEVEN) is None
    assert served.due() == [SEVEN]
    assert ask(served, 1007) == {KEY}
    assert (served.look_up(KEY, SEVEN), served.due()) == (False, [])
    served.updated("news", 2)
    assert served.due() == [SEVEN]
    assert ask(served, None) == {KEY}
    assert (served.look_up(KEY, SEVEN), served.due()) == (True, [])
    served.updated("news", 3)
    assert ask(served, 9999) == set()  # made again: another one of its number


def test_what_is_not_answered_is_not_known_and_not_asked_again_at_once():
    served = ServedVersions()
    served.look_up(KEY, SEVEN)
    served.not_answered(SEVEN)
    assert (served.look_up(KEY, SEVEN), served.due()) == (None, [])


def test_who_wants_to_know_no_more_is_forgotten():
    served = ServedVersions()
    served.look_up(KEY, SEVEN), served.look_up(OTHER, SEVEN)
    served.look_up(KEY, None)
    assert served.due() == [SEVEN]
    served.forget_all_but({KEY}, {"news"})
    assert served.due() == []
    served.not_answered(SEVEN)
    assert ask(served, None) == set()


def seen(sim: Simulation, missing: bool | None) -> Observed:
    return replace(sim.observe(), serving_missing=missing)


def decided(sim: Simulation, missing: bool | None) -> list[str]:
    """Take a plan's status over; the reasons of its Events."""
    made = plan(seen(sim, missing), sim.now)
    assert made.status is not None
    sim.owner = {**sim.owner, "status": made.status}
    return [event.reason for event in made.events]


def test_it_is_said_once_and_until_it_is_known_to_be_otherwise_and_stops_nothing():
    sim = after(GONE)
    assert decided(sim, missing=True) == [EventReason.SERVING_VERSION_MISSING]
    assert sim.condition("AliasInSync") == ("False", Reason.SERVING_VERSION_MISSING)
    assert sim.message("AliasInSync").startswith("version 7 has the traffic, and was deleted in")
    assert sim.condition("Ready") == ("True", "Serving")
    assert decided(sim, missing=None) == []  # another process, which was told nothing yet
    assert sim.condition("AliasInSync") == ("False", Reason.SERVING_VERSION_MISSING)
    decided(sim, missing=False)
    assert sim.condition("AliasInSync") == ("False", Reason.ALIAS_NOT_SET)
