"""A claim that pods share (`spec.serving.storage.cache`), as it is rendered and refused."""

from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.manifests.pod import pod_spec
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_testing.memory.object_builders import IMAGES, model_deployment, version

pytestmark = pytest.mark.unit

CACHE = {"storage": {"cache": {"claimName": "model-cache"}}}
CUSTOM = {
    "mode": "Custom",
    "image": "models.example/api:3",
    "port": 9000,
    "probes": {"readiness": {"httpGet": {"path": "/health"}}},
}


def pod(serving: dict[str, Any], group: int | None = None) -> dict[str, Any]:
    spec = parse_spec(model_deployment(serving=serving))
    return pod_spec(spec, version(7), "abc123", replace(IMAGES, fs_group=group))


def mounts(container: dict[str, Any]) -> list[dict[str, Any]]:
    return [mount for mount in container["volumeMounts"] if mount["name"] == "cache"]


def variables(container: dict[str, Any]) -> dict[str, Any]:
    named = {each["name"]: each.get("value") for each in container["env"]}
    prefix = "PENNANT_CACHE_"
    return {n.removeprefix(prefix): v for n, v in named.items() if n.startswith(prefix)}


def test_fetch_writes_to_the_claim_and_our_server_reads_it():
    rendered = pod(CACHE)
    (fetch,), (serve,) = rendered["initContainers"], rendered["containers"]
    assert mounts(fetch) == [{"name": "cache", "mountPath": "/cache"}]
    assert mounts(serve) == [{"name": "cache", "mountPath": "/cache", "readOnly": True}]
    (volume,) = (each for each in rendered["volumes"] if each["name"] == "cache")
    assert volume["persistentVolumeClaim"] == {"claimName": "model-cache"}


def test_a_server_of_the_users_own_gets_copies_and_does_not_see_the_claim():
    rendered = pod(CUSTOM | CACHE)
    (fetch,), (serve,) = rendered["initContainers"], rendered["containers"]
    assert (mounts(fetch), mounts(serve)) == ([{"name": "cache", "mountPath": "/cache"}], [])
    assert variables(fetch)["USE"] == "copy"


def test_fetch_alone_is_told_how_much_may_lie_there_and_for_whom_it_is_used():
    rendered = pod(CACHE)
    (fetch,), (serve,) = rendered["initContainers"], rendered["containers"]
    assert variables(fetch) == {
        "PATH": "/cache",
        "SIZE": str(10 * 2**30),
        "ROLLOUT": "uid-of-rec",
        "USE": "link",
    }
    assert variables(serve) == {}


@pytest.mark.parametrize("group", [None, 2000])
def test_files_in_the_claim_keep_their_owner_when_it_is_mounted(group):
    context = pod(CACHE, group)["securityContext"]
    assert context["fsGroupChangePolicy"] == "OnRootMismatch"
    assert context.get("fsGroup") == group


@pytest.mark.parametrize("serving", [{}, {"storage": {"size": "2Gi"}}, CUSTOM])
def test_without_a_cache_nothing_of_it_is_rendered(serving):
    assert "cache" not in str(pod(serving)).lower()
    assert "fsGroupChangePolicy" not in pod(serving, 2000)["securityContext"]


@pytest.mark.parametrize(
    ("size", "octets"),
    [("1Mi", 2**20), ("20G", 20 * 10**9), ("1.5Gi", 3 * 2**29), (2**30, 2**30), ("9E", 2**62)],
)
def test_the_size_is_told_in_bytes(size, octets):
    serving = {"storage": {"cache": {"claimName": "model-cache", "maxSize": size}}}
    assert variables(pod(serving)["initContainers"][0])["SIZE"] == str(octets)


@pytest.mark.parametrize(
    ("cache", "message"),
    [
        ({}, "cache.claimName is missing: write the name of a PersistentVolumeClaim"),
        ({"claimName": "c", "maxSize": "10"}, "cache.maxSize: '10' is no quantity of at least 1Mi"),
        ({"claimName": "c", "maxSize": "much"}, "cache.maxSize: 'much' is no quantity"),
        ({"claimName": "c", "maxSize": True}, "cache.maxSize: True is no quantity"),
    ],
)
def test_a_cache_that_cannot_be_is_refused_by_name(cache, message):
    with pytest.raises(InvalidSpecError, match=rf"^spec\.serving\.storage\.{message}"):
        parse_spec(model_deployment(serving={"storage": {"cache": cache}}))
