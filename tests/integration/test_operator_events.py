"""The operator's Events, as a real API server takes them and a real kubectl shows them."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pennant_dev.controlplane import ControlPlane
from pennant_dev.settings import Settings
from pennant_dev.shell import run
from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.decide.intent import Event
from pennant_operator.kube import Api, connect
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_stage import Stage

pytestmark = pytest.mark.integration

BEGAN = datetime.now(UTC) - timedelta(hours=1)
REASONS = ("Zulu", "Alpha", "Mike", "Bravo", "Yankee", "Charlie", "X-ray", "Delta")


async def post(plane: ControlPlane, owner: dict[str, Any], *posted: tuple[Event, float]) -> None:
    """Each at so many seconds after the beginning."""
    client = await connect(plane.kubeconfig)
    cluster = Cluster(
        Api(client), limiter=TokenBucket(100, 100), fence=lambda: 60.0, count=lambda *_: None
    )
    recorder = Recorder(cluster, "pod-" + "ä" * 100)
    for event, seconds in posted:
        await recorder.post(owner, event, BEGAN + timedelta(seconds=seconds))
    await client.close()


@pytest.fixture
def owner(objects: Objects) -> dict[str, Any]:
    stage = Stage(objects, "events")
    stage.apply("rec", "model")
    return stage.views()["rec"].live


def test_kubectl_describe_shows_events_in_order_each_once_and_whole_characters(
    plane: ControlPlane, objects: Objects, owner: dict[str, Any]
):
    """Two of one decision share their time to the microsecond; a note may have 1,024 bytes."""
    posted = [
        (Event("Normal", reason, f"{n} of {reason}"), 60.0 * number)
        for number, reason in enumerate(REASONS)
        for n in ("first", "second")
    ]
    last = (Event("Warning", "Long", "語" * 400), 60.0 * len(REASONS))
    asyncio.run(post(plane, owner, *posted, last, posted[0]))
    kubectl = [Settings.from_env().bin / "kubectl", "--kubeconfig", plane.kubeconfig]
    env = os.environ | {"KUBECACHEDIR": str(plane.folder / "cache")}
    shown = run([*kubectl, "-n", "events", "describe", "mldep", "rec"], env=env)
    listed = shown.partition("Events:")[2].splitlines()[3:]
    words = [line.split() for line in listed if line.strip()]
    expected = [event.message for event, _ in posted] + ["語" * 340 + "…"]
    assert [" ".join(each[each.index("pennant.dev/operator") + 1 :]) for each in words] == expected
    assert "<unknown>" not in shown
    by_newer = objects.list("Event", "events")
    assert {each["eventTime"][:16] for each in by_newer} == {
        (BEGAN + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M") for n in range(len(REASONS) + 1)
    }
    assert len(by_newer) == len(posted) + 1
    for each in by_newer:  # by the older API: these are what kubectl sorts by
        assert each["deprecatedLastTimestamp"] == each["deprecatedFirstTimestamp"]
        assert each["deprecatedLastTimestamp"][:19] == each["eventTime"][:19]
