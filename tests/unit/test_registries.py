"""A ModelRegistry's spec, who may use it, and its status."""

from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.registry.health import Health, registry_status
from pennant_operator.decide.registry.registries import InvalidRegistryError, parse_registry
from pennant_operator.decide.seen.observed import PackageIndex
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def model_registry(*, live: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "default", "generation": 3},
        "spec": {"url": "http://mlflow.example:5000", **spec},
        "status": live or {"observedGeneration": -1},
    }


def test_the_defaults_are_filled_in():
    spec = parse_registry(model_registry())
    assert spec.poll_interval.total_seconds() == 15
    assert spec.facts().allowed_sources == ("mlflow-artifacts:/",)
    assert spec.refusal("any", "model") is None


def test_pods_pull_from_the_root_in_mode_direct_only():
    direct = parse_registry(
        model_registry(artifacts={"mode": "Direct", "root": "s3://bucket/prefix/"})
    )
    assert direct.pull_root == "s3://bucket/prefix"
    assert direct.facts().allowed_sources == ("mlflow-artifacts:/", "s3://bucket/prefix/")
    proxied = parse_registry(
        model_registry(artifacts={"mode": "Proxied", "root": "s3://bucket/prefix"})
    )
    assert proxied.pull_root is None
    # What was recorded in mode Direct is still pulled by pods that come later.
    assert proxied.facts() == direct.facts()


def test_a_slash_at_the_end_of_the_address_is_dropped():
    assert parse_registry(model_registry(url="http://proxy.example/mlflow/")).url.endswith(
        "/mlflow"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"url": "ftp://x"}, "spec.url 'ftp://x'"),
        ({"url": "http://"}, "spec.url"),
        ({"url": "http://user:pw@x"}, "credentialsSecret"),
        ({"artifacts": {"mode": "Direct"}}, "spec.artifacts.root is missing"),
        ({"artifacts": {"mode": "Direct", "root": "file:///mnt"}}, "spec.artifacts.root file:"),
        ({"artifacts": {"root": "s3://key:secret@bucket"}}, "without credentials"),
        ({"artifacts": {"root": "s3://bucket/a/../b"}}, "spec.artifacts.root"),
        ({"artifacts": {"root": "s3://bucket/a,b"}}, "spec.artifacts.root"),
        ({"artifacts": {"root": "s3://bucket/?x=1"}}, "spec.artifacts.root"),
        ({"allowedSources": ["s3://a", "s3://b,c"]}, "spec.allowedSources 's3://b,c'"),
        ({"allowedSources": ["s3://a "]}, "spec.allowedSources 's3://a '"),
        ({"allowedSources": [""]}, "one prefix for each item"),
        ({"environments": {}}, "spec.environments.indexURL is missing"),
        ({"environments": {"indexURL": "packages"}}, "spec.environments.indexURL 'packages'"),
        (
            {"environments": {"indexURL": "https://user:pw@x/simple"}},
            "the Secret that spec.environments.credentialsSecret names",
        ),
        (
            {"environments": {"indexURL": "https://x", "extraIndexURLs": ["https://a https://b"]}},
            r"spec.environments.extraIndexURLs.0. 'https://a https://b' holds a space",
        ),
        ({"pollInterval": "fast"}, "spec.pollInterval"),
        ({"pollInterval": "10ms"}, "1s or more"),
    ],
)
def test_what_cannot_be_used_is_named(spec: dict[str, Any], message: str):
    with pytest.raises(InvalidRegistryError, match=message.replace("'", ".")):
        parse_registry(model_registry(**spec))


def test_where_packages_come_from_is_what_pods_are_given():
    environments = {"indexURL": "https://x/simple/", "extraIndexURLs": ["http://y"]}
    index = PackageIndex("https://x/simple", ("http://y",))
    assert parse_registry(model_registry(environments=environments)).facts().index == index
    named = parse_registry(model_registry(environments=environments | {"credentialsSecret": "c"}))
    assert named.index == replace(index, credentials_secret="c")
    assert parse_registry(model_registry()).facts().index is None


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(InvalidRegistryError) as raised:
        parse_registry(model_registry(url="http://user:hunter2@x"))
    assert "hunter2" not in str(raised.value)


def test_a_namespace_must_be_allowed():
    spec = parse_registry(model_registry(allowedNamespaces=["team-*", "prod"]))
    assert spec.refusal("team-a", "m") is None
    assert spec.refusal("prod", "m") is None
    refused = spec.refusal("prod-2", "m")
    assert refused is not None
    assert "spec.allowedNamespaces" in refused.message


def test_only_the_star_is_special_in_a_pattern():
    spec = parse_registry(model_registry(allowedModels=["news.[ab]", "cars/*"]))
    assert spec.refusal("n", "news.[ab]") is None
    assert spec.refusal("n", "news.a") is not None
    assert spec.refusal("n", "newsx[ab]") is not None


def test_an_empty_list_allows_nobody():
    assert parse_registry(model_registry(allowedNamespaces=[])).refusal("n", "m") is not None


def test_the_same_health_makes_the_same_status():
    health = Health(server_version="3.17.2", models=2)
    first = registry_status(model_registry(), health, NOW)
    later = NOW.replace(year=2027)
    assert registry_status(model_registry(live=first), health, later) == first


def test_trouble_is_told_and_the_servers_version_stays():
    good = registry_status(model_registry(), Health(server_version="3.17.2", models=2), NOW)
    later = NOW.replace(year=2027)
    bad = registry_status(model_registry(live=good), Health(models=2, trouble="no answer"), later)
    (ready,) = bad["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "NotAnswering")
    assert ready["message"] == "no answer"
    assert ready["lastTransitionTime"].startswith("2027")
    assert bad["serverVersion"] == "3.17.2"
