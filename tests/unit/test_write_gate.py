"""The gate for writes: whoever may not write is refused, and no write outlasts its permission."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from pennant_operator.act.cluster import Cluster, ConflictError, FencedError
from pennant_operator.decide.intent import Adopt, Apply, Delete
from pennant_operator.kube import ApiError
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit

EVENT = {"kind": "Event", "metadata": {"name": "e", "namespace": "team"}}
OWNER = {
    "apiVersion": "pennant.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "rec", "namespace": "team", "uid": "1"},
}


@dataclass
class Requests:
    """An API server that answers every request after some time, and what it was asked."""

    seconds: float = 0.0
    asked: list[tuple[str, str, dict[str, str], float]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    async def request(
        self, method: str, path: str, query: dict, body: Any, content_type: str, within: float
    ) -> dict[str, Any]:
        self.asked.append((method, path, query, within))
        self.sent.append(body)
        await asyncio.sleep(self.seconds)
        return {}


def gate(api: Requests, may_last: Callable[[], float], rate: float = 1000) -> Cluster:
    return Cluster(api, limiter=TokenBucket(rate, 1), fence=may_last, count=lambda *_: None)


@pytest.mark.parametrize(
    "write",
    [
        lambda cluster: cluster.apply(Apply(OWNER, uid="1")),
        lambda cluster: cluster.adopt(Adopt("Service", "rec", "1", ()), "team"),
        lambda cluster: cluster.create(OWNER),
        lambda cluster: cluster.apply_status(OWNER, {"summary": "Serving"}),
        lambda cluster: cluster.post_event(EVENT),
    ],
    ids=["apply", "adopt", "create", "status", "event"],
)
def test_who_may_not_write_is_refused_whatever_it_is(write):
    api = Requests()

    async def scenario() -> None:
        with pytest.raises(FencedError):
            await write(gate(api, lambda: 0.0))

    at_once(scenario())
    assert api.asked == []


@pytest.mark.parametrize(("uid", "force"), [("1", "true"), (None, "false")])
def test_only_the_object_that_was_seen_to_be_ours_is_taken_back_from_others(uid, force):
    api = Requests()
    manifest = {"kind": "Service", "metadata": {"name": "rec", "namespace": "team"}}
    at_once(gate(api, lambda: 9.0).apply(Apply(manifest, uid=uid)))
    assert api.asked[0][2]["force"] == force
    assert api.sent[0]["metadata"].get("uid") == uid


@pytest.mark.parametrize(("left", "seconds"), [(2.5, 2.5), (12.5, 8), (float("inf"), 8)])
def test_a_request_ends_with_the_permission_here_and_on_the_api_server(left: float, seconds: float):
    api = Requests()
    at_once(gate(api, lambda: left).post_event(EVENT))
    ((_, _, query, timeout),) = api.asked
    assert (query["timeout"], timeout) == (f"{seconds:.3f}s", seconds)


def test_a_write_that_waited_for_its_turn_is_refused_if_its_time_is_over_by_then():
    api = Requests()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        cluster = gate(api, lambda: 10 - loop.time(), rate=0.1)
        await cluster.post_event(EVENT)
        with pytest.raises(FencedError):
            await cluster.post_event(EVENT)

    at_once(scenario())
    assert len(api.asked) == 1


def test_it_is_quiet_when_the_last_write_was_answered():
    api = Requests(seconds=3)

    async def scenario() -> None:
        loop, cluster = asyncio.get_running_loop(), gate(api, lambda: 5.0)
        await cluster.quiet()
        writes = [asyncio.create_task(cluster.post_event(EVENT)) for _ in range(2)]
        await asyncio.sleep(1)
        await cluster.quiet()
        assert loop.time() == pytest.approx(3, abs=0.1)
        assert all(write.done() for write in writes)

    at_once(scenario())


@dataclass
class Refuses(Requests):
    """Answers every write with a status, and a read with what is there."""

    status: int = 409
    there: dict[str, Any] | None = None

    async def request(self, *_: Any) -> dict[str, Any]:
        raise ApiError(self.status, "Refused", "said the API server")

    async def get(self, *_: Any) -> dict[str, Any] | None:
        return self.there


def owned(by: str) -> dict[str, Any]:
    reference = {"uid": by, "controller": True}
    meta = {"name": "rec-1", "namespace": "team", "ownerReferences": [reference]}
    return {"kind": "ControllerRevision", "metadata": meta}


@pytest.mark.parametrize("there", [None, owned("1")], ids=["gone again", "made before"])
def test_a_name_that_was_taken_by_our_own_is_what_is_there_now(there: dict[str, Any] | None):
    cluster = gate(Refuses(there=there), lambda: 5.0)

    async def scenario() -> None:
        assert await cluster.create(owned("1")) == there

    at_once(scenario())


def test_a_name_that_a_deleted_namesakes_object_has_is_a_conflict():
    async def scenario() -> None:
        with pytest.raises(ConflictError):
            await gate(Refuses(there=owned("2")), lambda: 5.0).create(owned("1"))

    at_once(scenario())


@pytest.mark.parametrize(("status", "ends"), [(404, None), (409, ConflictError), (500, ApiError)])
def test_what_is_gone_needs_no_deletion_and_what_changed_is_not_deleted(
    status: int, ends: type[Exception] | None
):
    deletion = gate(Refuses(status=status), lambda: 5.0).delete(
        Delete("Pod", "rec-1", "u", "7"), "team"
    )

    async def scenario() -> None:
        if ends is None:
            assert await deletion is None
            return
        with pytest.raises(ends):
            await deletion

    at_once(scenario())
