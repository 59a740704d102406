"""Law 9, one writer: the rules of the Lease, and real electors in a world of faults."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.config import Config, ConfigError
from pennant_operator.decide.lease import (
    ObservedLease,
    Timing,
    free_at,
    holder_spec,
    may_last,
    observed_lease,
    released_spec,
)
from pennant_operator.kube import Object
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.lease_simulation import (
    EPOCH,
    NEVER,
    TIMING,
    Phase,
    Replica,
    Server,
    now,
)
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

IMAGE = {"PENNANT_NAMESPACE": "home", "PENNANT_FETCH_IMAGE": "serving:1"}


def lease(holder: str, version: int = 1, **spec: object) -> Object:
    return {
        "metadata": {"resourceVersion": str(version)},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, **spec},
    }


def test_a_lease_is_free_when_nobody_has_it_and_at_once():
    assert free_at(None, "me") == float("-inf")
    assert free_at(ObservedLease(lease(""), since=100), "me") == float("-inf")
    assert free_at(ObservedLease(lease("me"), since=100), "me") == float("-inf")


def test_anothers_is_free_when_it_has_not_changed_for_as_long_as_that_one_asked():
    assert free_at(ObservedLease(lease("other"), since=100), "me") == 115
    assert free_at(ObservedLease(lease("other", leaseDurationSeconds=40), since=100), "me") == 140


def test_what_a_lease_says_of_times_decides_nothing():
    old = lease("other", renewTime="2001-01-01T00:00:00.000000Z")
    assert free_at(ObservedLease(old, since=100), "me") == 115


def test_a_lease_counts_from_when_it_was_last_seen_to_change():
    first = observed_lease(None, lease("other", 1), 100)
    assert observed_lease(first, lease("other", 1), 110) is first
    assert observed_lease(first, lease("other", 2), 110).expires_at == 125


def test_the_holder_stops_before_anybody_else_may_begin():
    assert may_last(TIMING, None, 100) == 0
    assert may_last(TIMING, 100, 100) == 12.5
    assert may_last(TIMING, 100, 109.5) == 3
    assert may_last(TIMING, 100, 110) == 0
    assert may_last(TIMING, 100, 99) == 0  # a clock that went back is no clock


def test_a_lease_tells_people_who_has_it_since_when_and_how_often_it_moved():
    first = holder_spec(None, "me", TIMING, EPOCH)
    assert first == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.000000Z",
        "leaseTransitions": 0,
    }
    mine = ObservedLease(lease("me", acquireTime="then", leaseTransitions=3), since=0)
    kept = holder_spec(mine, "me", TIMING, EPOCH)
    assert (kept["acquireTime"], kept["leaseTransitions"]) == ("then", 3)
    taken = holder_spec(mine, "you", TIMING, EPOCH)
    assert (taken["acquireTime"], taken["leaseTransitions"]) == (taken["renewTime"], 4)
    assert released_spec(mine, EPOCH)["holderIdentity"] == ""


@pytest.mark.parametrize(
    ("lasts", "renew", "retry"), [(10, 10, 2), (15, 4, 2), (15, 10, 0), (1, 15, 2)]
)
def test_times_that_cannot_work_together_are_refused(lasts: int, renew: float, retry: float):
    with pytest.raises(ValueError, match="has to last longer"):
        Timing(lasts, renew, retry)


def test_the_times_are_read_from_the_environment_and_named_when_they_are_wrong():
    assert Config.from_env(IMAGE).timing == Timing(15, 10, 2)
    longer = IMAGE | {"PENNANT_LEASE_DURATION": "60", "PENNANT_RENEW_DEADLINE": "40.5"}
    assert Config.from_env(longer).timing == Timing(60, 40.5, 2)
    with pytest.raises(ConfigError, match="PENNANT_RENEW_DEADLINE=15"):
        Config.from_env(IMAGE | {"PENNANT_RENEW_DEADLINE": "15"})


def run(
    *replicas: tuple[tuple[Phase, ...], float],
    seconds: float,
    meanwhile: Callable[[Server], Coroutine[Any, Any, None]] | None = None,
) -> Server:
    """So many seconds of these replicas; AssertionError if two of them wrote."""
    server = Server()

    async def scenario() -> None:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for name, (phases, rate) in zip("abc", replicas, strict=False):
                group.create_task(Replica(server, name, phases, rate).live())
            if meanwhile is not None:
                await meanwhile(server)

    with pytest.raises(TimeoutError):
        at_once(scenario())
    assert server.broken == []
    return server


def writers(server: Server, since: float = 0) -> list[str]:
    """Who wrote, one after the other."""
    return list(dict.fromkeys(who for at, who in server.writes if at >= since))


FINE = ((), 1.0)
lengths = st.one_of(st.sampled_from([12.0, 20.0, 40.0]), st.floats(0.1, 40))
delays = st.one_of(st.sampled_from([0.0, NEVER]), st.floats(0, 15))
phases = st.one_of(
    st.builds(Phase, lengths, there=delays),
    st.builds(Phase, lengths, back=delays),
    st.builds(Phase, lengths, there=delays, back=delays),
    st.builds(Phase, lengths, stands=st.just(True)),
    st.builds(Phase, lengths, wall=st.sampled_from([-3600.0, 86400.0, None])),
)
replicas = st.tuples(st.lists(phases, max_size=4).map(tuple), st.floats(0.95, 1.05))


@examples(50)
@given(st.lists(replicas, min_size=2, max_size=3))
def test_there_are_never_two_writers_and_there_is_one_again_when_the_world_is_well(found):
    trouble = max(sum(phase.seconds for phase in each) for each, _ in found)
    # What was on its way arrives for another 25 s, and may cost another lease.
    server = run(*found, seconds=trouble + 90)
    assert writers(server, since=trouble + 60)


def test_the_first_of_two_leads_and_goes_on_to_lead():
    server = run(FINE, FINE, seconds=100)
    assert len(writers(server)) == 1


def test_a_dead_leaders_place_is_taken_when_its_lease_ran_out():
    server = run(((Phase(5), Phase(NEVER, stands=True)), 1.0), FINE, seconds=40)
    last, first = (
        max(at for at, who in server.writes if who == "a-0"),
        min(at for at, who in server.writes if who == "b-0"),
    )
    assert writers(server) == ["a-0", "b-0"]
    assert last < first
    assert 5 + 12.5 < first < 5 + 15 + 2 + 12.5  # the first write takes as long as it may


@pytest.mark.parametrize(
    "trouble",
    [
        (Phase(NEVER, there=NEVER),),
        (Phase(NEVER, back=NEVER),),
        (Phase(20, there=2, back=2.9), Phase(NEVER, there=NEVER)),
        (Phase(20, back=4.9), Phase(NEVER, there=NEVER)),
        (Phase(8, there=5.5), Phase(NEVER, there=NEVER)),
    ],
    ids=["requests lost", "answers lost", "slow, then lost", "late answers", "late requests"],
)
@pytest.mark.parametrize("rate", [0.95, 1, 1.05])
def test_a_leader_that_is_cut_off_has_stopped_before_another_begins(trouble, rate: float):
    server = run(((Phase(5), *trouble), rate), FINE, seconds=80)
    assert writers(server) == ["a-0", "b-0"]


def test_who_stood_still_for_longer_than_the_lease_writes_nothing_more_and_ends():
    server = run(((Phase(5), Phase(30, stands=True)), 1.0), FINE, seconds=60)
    assert writers(server) == ["a-0", "b-0"]


def test_a_slow_api_server_is_no_reason_to_change_the_leader():
    slow = (Phase(200, there=2.2, back=2.2),)
    server = run((slow, 1.0), (slow, 1.0), seconds=200)
    assert len(writers(server)) == 1


def test_answers_that_are_lost_for_a_while_cost_nothing():
    lossy = (Phase(5), Phase(4, back=NEVER), Phase(60))
    server = run((lossy, 1.0), FINE, seconds=60)
    assert writers(server) == ["a-0"]


def test_a_renewal_that_changes_nothing_is_none():
    frozen = (Phase(5), Phase(NEVER, wall=None))
    server = run((frozen, 1.0), FINE, seconds=60)
    assert writers(server) == ["a-0", "b-0"]


@pytest.mark.parametrize("deletions", [[20.0], [20.0, 20.5, 21.0]])
def test_a_lease_that_somebody_deletes_comes_back_to_its_holder(deletions: list[float]):
    async def delete(server: Server) -> None:
        for at in deletions:
            await asyncio.sleep(at - now())
            server.lease = None

    server = run(FINE, FINE, seconds=60, meanwhile=delete)
    assert writers(server) == ["a-0"]


def test_a_released_lease_is_taken_at_the_next_look():
    server = Server()

    async def scenario() -> None:
        first, second = (Replica(server, name, (), 1.0).elector(name) for name in "ab")
        leads = asyncio.create_task(first.run())
        await first.acquired.wait()
        waits = asyncio.create_task(second.run())
        await second.looked.wait()
        await asyncio.sleep(30)
        assert (first.may_last() > 0, second.may_last() > 0) == (True, False)
        first.resign()
        assert first.may_last() == 0
        leads.cancel()
        began = now()
        await first.release()
        await second.acquired.wait()
        assert now() - began <= TIMING.retry
        waits.cancel()

    at_once(scenario())
    assert server.holder == "b"


def test_a_lease_that_is_taken_while_its_candidate_ends_is_released_too():
    server = Server()

    async def scenario() -> None:
        # Requests are slow until it is told to end, while the one that takes the Lease is sent.
        replica = Replica(server, "a", (Phase(1.5, there=1.0),), 1.0)
        lives = asyncio.create_task(replica.live())
        await asyncio.sleep(0)
        elector = replica.elector("a")
        leads = asyncio.create_task(elector.run())
        await asyncio.sleep(1.6)
        assert server.holder is None
        elector.resign()
        leads.cancel()
        await elector.release()
        lives.cancel()
        await asyncio.sleep(5)

    at_once(scenario())
    assert server.holder == ""


def test_two_that_start_at_once_are_no_trouble_and_each_is_told_who_leads(
    caplog: pytest.LogCaptureFixture,
):
    """Both see that there is no Lease, and one of them makes it."""
    caplog.set_level(logging.INFO)
    slow = (Phase(NEVER, there=0.5),)
    server = run((slow, 1.0), (slow, 1.0), seconds=20)
    assert len(writers(server)) == 1
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    logged = [each.getMessage() for each in caplog.records]
    assert sum("somebody was faster: 409 AlreadyExists" in each for each in logged) == 1
    assert sum(each.startswith("standing by: a-0 leads; ") for each in logged) == 1


def test_who_waits_for_a_leader_that_is_gone_says_how_long(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    server = Server(lease=lease("gone"), version=1)

    async def scenario() -> None:
        waits = asyncio.create_task(Replica(server, "new", (), 1.0).elector("new").run())
        await asyncio.sleep(60)
        waits.cancel()

    at_once(scenario())
    assert server.holder == "new"
    logged = [each.getMessage() for each in caplog.records]
    assert logged == [
        "standing by: gone leads; if it is gone, its Lease is free in 15 s",
        "leading as new",
    ]
