"""What a Pod object says of the packages that `fetch` installed, and what of it is believed."""

import json
from typing import Any

import pytest

from pennant_operator.decide.seen.environment import environment_from_pin
from pennant_operator.decide.seen.pod_facts import pod_facts
from pennant_operator.decide.times import format_time
from pennant_testing.memory.object_builders import NOW, installed

pytestmark = pytest.mark.unit

REPORT = installed()


def pod(kind: str, name: str, message: dict[str, Any]) -> dict[str, Any]:
    """One of whose containers ended well, with a message."""
    ended = {"exitCode": 0, "message": json.dumps(message), "finishedAt": format_time(NOW)}
    return {
        "metadata": {"name": "rec-blue-1", "uid": "u", "creationTimestamp": format_time(NOW)},
        "spec": {"nodeName": "node-1"},
        "status": {kind: [{"name": name, "state": {"terminated": ended}}]},
    }


def reporting(environment: object) -> dict[str, Any]:
    message = {"digest": "abc", "bytes": 2048, "environment": environment}
    return pod("initContainerStatuses", "fetch", message)


def test_what_fetch_installed_is_in_its_message_as_later_pods_get_it():
    environment = pod_facts(reporting(REPORT)).environment
    assert environment is not None
    assert (environment.digest, environment.size) == ("a" * 64, 1000)
    assert json.loads(environment.report) == REPORT
    assert environment_from_pin(environment.report) == environment


def test_what_serve_writes_says_nothing_of_packages():
    written = pod("containerStatuses", "serve", {"digest": "abc", "environment": REPORT})
    assert pod_facts(written).environment is None


@pytest.mark.parametrize(
    "environment",
    [
        None,
        [],
        "a" * 64,
        {},
        REPORT | {"digest": "a" * 63},
        REPORT | {"digest": "A" * 64},
        REPORT | {"digest": 7},
        REPORT | {"bytes": True},
        REPORT | {"bytes": -1},
        REPORT | {"bytes": "1000"},
        REPORT | {"pins": None},
        REPORT | {"python": 3.12},
        REPORT | {"pins": "x" * 5000},
    ],
    ids=str,
)
def test_what_is_no_whole_report_of_packages_is_none(environment: object):
    assert pod_facts(reporting(environment)).environment is None


@pytest.mark.parametrize("text", ["", "{}", "[" * 9999, "null", None, 7])
def test_what_somebody_wrote_over_a_pin_is_none(text: object):
    assert environment_from_pin(text) is None


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("3048", None),
        (
            "3047",
            "the bundle has 2048 bytes and its environment 1000, spec.serving.storage.size is 3047",
        ),
    ],
)
def test_a_bundle_and_its_packages_share_a_volume(limit, expected):
    fetched = reporting(REPORT)
    fetched["spec"]["volumes"] = [{"name": "models", "emptyDir": {"sizeLimit": limit}}]
    assert pod_facts(fetched).overfull == expected
