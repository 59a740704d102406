"""The Lease hands the last decision of its holder on, with the renewals that there are anyway."""

from __future__ import annotations

import asyncio

import pytest

from pennant_operator.run.lease.elector import Elector
from pennant_testing.memory.lease_simulation import Replica, Server

pytestmark = pytest.mark.unit


def test_the_next_holder_knows_the_last_decision_of_the_one_before_and_no_write_more_is_made():
    server, electors = Server(), list[Elector]()

    async def scenario() -> None:
        for name, head in (("a", "a-line-17"), ("b", None), ("c", None)):
            elector = Replica(server, name, (), 1.0).elector(name, head)
            electors.append(elector)
            leads = asyncio.create_task(elector.run())
            await elector.acquired.wait()
            elector.resign()
            leads.cancel()
            await elector.release()

    asyncio.run(scenario())
    assert [each.predecessor for each in electors] == [None, "a-line-17", "a-line-17"]
    assert server.version == 2 * len(electors)  # taken and left
