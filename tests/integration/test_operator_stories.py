"""What people and registries do to a rollout, and where it ends: one operator, one tale a test.

The tales are told side by side: each has a namespace of its own, and waits most of the time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from pennant_operator.decide.vocabulary import Reason
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.control_plane.pretended_kubelet import cannot_fetch, cannot_load, coming, ready
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.running.side_by_side import Begun, begin, beside
from pennant_testing.waiting import still, until

pytestmark = pytest.mark.integration

OTHER_DIGEST = "cd" * 32


@dataclass
class Tale:
    """One model, one ModelDeployment of the same name, and what is to be seen of them."""

    running: Operator
    stage: Stage
    mlflow: Mlflow
    url: str
    floating: str
    """The address of a registry whose versions have a source that floats."""
    name: str

    def register(self, **tags: str) -> str:
        return self.mlflow.register(self.name, **tags)

    def promote(self, version: str) -> None:
        self.mlflow.promote(self.name, version)

    def apply(self, **spec: Any) -> None:
        self.stage.apply(self.name, self.name, **spec)

    def fate(self, version: str, status: dict[str, Any]) -> None:
        self.stage.kubelet.fates[self.name, version] = status

    def serves(self, version: str) -> View:
        return self.stage.serves(self.name, version)

    def sees(self, look: Callable[[View], object]) -> View:
        return self.stage.sees(self.name, look)

    def revisions_within(self, seconds: float) -> set[frozenset[str]]:
        """Which revisions were told to have pods at the same time, looking all the while."""
        deadline, seen = time.monotonic() + seconds, set()
        while time.monotonic() < deadline:
            self.stage.look()
            seen.add(frozenset(self.stage.revisions(self.name)))
        return seen

    def env(self) -> dict[str, str]:
        """What `fetch` of the pods with traffic was told."""
        slot = self.stage.active(self.name)["pennant.dev/active-slot"]
        live = self.stage.objects.get("Deployment", self.stage.namespace, f"{self.name}-{slot}")
        (fetch,) = live["spec"]["template"]["spec"]["initContainers"]
        return {each["name"]: each["value"] for each in fetch["env"] if "value" in each}

    def allowed(self) -> list[str]:
        """The sources that pods which come now may pull."""
        name = f"{self.name}-registry"
        config = self.stage.objects.get("ConfigMap", self.stage.namespace, name)
        return str(config["data"]["allowed-sources"]).split(",")

    def registry_is_known(self, name: str) -> bool:
        """The operator goes by the ModelRegistry as it is now."""
        live = self.stage.objects.get("ModelRegistry", NAMESPACE, name)
        return bool(live["status"]["observedGeneration"] == live["metadata"]["generation"])

    def deployments(self) -> dict[str, int]:
        """Both slots, and how often they were changed."""
        live = self.stage.deployments(self.name)
        return {each["metadata"]["name"]: each["metadata"]["generation"] for each in live}

    def rests(self) -> None:
        """Wait until nothing of it changes any more."""
        still(lambda: (self.stage.views(), self.stage.written()))


@pytest.fixture(scope="module")
def floating(mlflow_url: str) -> Iterator[str]:
    with lying_proxy.lying_proxy(mlflow_url) as proxy:
        proxy.fail(lying_proxy.floating_source)
        yield proxy.url


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest,
    running: Operator,
    objects: Objects,
    mlflow_url: str,
    floating: str,
) -> Iterator[Begun]:
    mlflow, urls = Mlflow(mlflow_url), (mlflow_url, floating)
    Stage(objects, "tales").registry("default", mlflow_url)

    @contextlib.contextmanager
    def tale() -> Iterator[Tale]:
        """Version 1 is registered and promoted; nothing is applied."""
        name = f"m{uuid4().hex[:8]}"
        tale = Tale(running, Stage(objects, f"tale-{name}"), mlflow, *urls, name)
        tale.promote(tale.register())
        yield tale
        for each in tale.stage.views():
            objects.delete("ModelDeployment", tale.stage.namespace, each)

    with begin(request, tale, at_once=4) as tests:
        yield tests


@beside
def test_a_model_that_is_made_again_is_another_version_1_and_is_rolled(tale: Tale):
    tale.apply()
    first = tale.serves("1").status["serving"]["revision"]
    source = tale.env()["PENNANT_MODEL_SOURCE"]
    tale.mlflow.client.delete_registered_model(tale.name)
    tale.sees(lambda seen: seen.reason("AliasInSync") == Reason.MODEL_NOT_FOUND)
    tale.promote(tale.register())
    tale.sees(lambda seen: seen.status["serving"]["revision"] != first)
    assert tale.serves("1").reason("AliasInSync") == Reason.IN_SYNC
    assert tale.env()["PENNANT_MODEL_SOURCE"] != source


@beside
def test_that_what_serves_was_deleted_is_said_while_it_goes_on_serving(tale: Tale):
    tale.apply()
    tale.serves("1")
    second = tale.register()
    tale.mlflow.client.delete_model_version(tale.name, "1")
    seen = tale.sees(lambda seen: seen.reason("AliasInSync") == Reason.SERVING_VERSION_MISSING)
    assert (seen.serving, seen.reason("Ready")) == ("1", Reason.SERVING)
    tale.promote(second)
    tale.serves(second)


@beside
def test_that_what_serves_was_deleted_is_said_where_the_alias_is_at_a_rejected_one(tale: Tale):
    tale.apply()
    tale.serves("1")
    broken = tale.register()
    tale.fate(broken, cannot_load())
    tale.promote(broken)
    tale.sees(lambda seen: seen.reason("AliasInSync") == Reason.REJECTED)
    tale.mlflow.client.delete_model_version(tale.name, "1")
    seen = tale.sees(lambda seen: seen.reason("AliasInSync") == Reason.SERVING_VERSION_MISSING)
    assert (seen.serving, seen.summary) == ("1", "Rejected")


@beside
def test_an_alias_flipped_five_times_ends_at_the_last_and_tries_no_rejected_version_again(
    tale: Tale,
):
    tale.apply(rollout={"bake": "0s"})
    tale.serves("1")
    broken, second, third = tale.register(), tale.register(), tale.register()
    tale.fate(broken, cannot_load())
    tale.promote(broken)
    tale.sees(lambda seen: seen.summary == "Rejected")
    (rejection,) = tale.stage.views()[tale.name].status["rejected"]
    # It is recorded before it is acted on.
    until(lambda: rejection["revision"] not in tale.stage.revisions(tale.name))
    revisions = set()
    for version in (second, third, second, third, second):
        tale.promote(version)
        revisions |= tale.revisions_within(seconds=1.5)
    seen = tale.serves(second)
    assert not any(rejection["revision"] in together for together in revisions)
    assert max(map(len, revisions)) <= 2
    assert seen.reason("AliasInSync") == Reason.IN_SYNC


@beside
def test_a_size_and_a_spec_that_change_in_mid_rollout_are_both_reached(tale: Tale):
    tale.apply()
    tale.serves("1")
    second = tale.register()
    tale.fate(second, coming())
    tale.promote(second)
    first = tale.sees(lambda seen: seen.candidate == second).status["candidate"]["revision"]
    tale.apply(replicas=3)
    until(lambda: {d["spec"]["replicas"] for d in tale.stage.deployments(tale.name)} == {3})
    tale.apply(replicas=2, serving={"env": [{"name": "A", "value": "b"}]})
    tale.sees(lambda seen: seen.status.get("candidate", {}).get("revision") not in {None, first})
    assert tale.stage.views()[tale.name].serving == "1"
    tale.fate(second, ready())
    seen = tale.serves(second)
    assert seen.status["serving"]["revision"] != first
    assert seen.status["readyReplicas"] == 2
    until(lambda: {d["spec"]["replicas"] for d in tale.stage.deployments(tale.name)} == {0, 2})


@beside
def test_no_replicas_prove_nothing_and_what_comes_back_is_what_served(tale: Tale):
    tale.apply()
    revision = tale.serves("1").status["serving"]["revision"]
    tale.apply(replicas=0)
    seen = tale.sees(lambda seen: seen.reason("Ready") == Reason.SCALED_TO_ZERO)
    assert (seen.serving, seen.condition("Stalled")["status"]) == ("1", "False")
    tale.apply(replicas=1)
    assert tale.serves("1").status["serving"]["revision"] == revision


@beside
def test_a_digest_tag_that_is_added_later_rolls_nothing(tale: Tale):
    """Law 5. A tag moves no time stamp, so the poller does not even see it."""
    tale.apply()
    tale.serves("1")
    tale.rests()
    before = tale.stage.written()
    tale.mlflow.client.set_model_version_tag(tale.name, "1", "pennant.sha256", OTHER_DIGEST)
    polled = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'
    began = tale.running.metric(polled)
    until(lambda: tale.running.metric(polled) > began + 2)
    assert tale.stage.written() == before


@beside
def test_another_way_to_the_artifacts_rolls_nothing_and_is_taken_by_the_next_version(tale: Tale):
    """Law 5. Where pods pull from is recorded with the revision."""
    registry = f"of-{tale.name}"
    tale.stage.registry(registry, tale.url)
    tale.apply(registry=registry)
    tale.serves("1")
    tale.rests()
    proxied, before = tale.env()["PENNANT_MODEL_SOURCE"], tale.deployments()
    direct = {"mode": "Direct", "root": "s3://models/mlflow"}
    tale.stage.registry(registry, tale.url, artifacts=direct)
    until(lambda: "s3://models/mlflow/" in tale.allowed())
    # Pods of the first version that come now still pull as it is recorded.
    assert tale.allowed() == ["mlflow-artifacts:/", "s3://models/mlflow/"]
    assert (tale.env()["PENNANT_MODEL_SOURCE"], tale.deployments()) == (proxied, before)
    second = tale.register()
    tale.promote(second)
    tale.serves(second)
    source = tale.env()["PENNANT_MODEL_SOURCE"]
    assert source.startswith("s3://models/mlflow/0/")
    assert source.endswith("/artifacts/newsreco.pkl")
    tale.stage.registry(registry, tale.url, artifacts={**direct, "mode": "Proxied"})
    until(lambda: tale.registry_is_known(registry))
    third = tale.register()
    tale.promote(third)
    tale.serves(third)
    assert tale.env()["PENNANT_MODEL_SOURCE"].startswith("mlflow-artifacts:/0/")
    assert "s3://models/mlflow/" in tale.allowed()


FAILING = {
    "bytes that are not those that were registered": (ready(OTHER_DIGEST), "DigestMismatch"),
    "a version without its artifact": (cannot_fetch("BundleMissing"), "BundleMissing"),
    "a version that cannot load": (cannot_load("LoadFailed"), "LoadFailed"),
}


@beside
@pytest.mark.parametrize("how", FAILING)
def test_a_version_that_is_at_fault_is_rejected_and_the_old_one_goes_on(tale: Tale, how: str):
    fate, reason = FAILING[how]
    tale.apply()
    tale.serves("1")
    second = tale.register(**{"pennant.sha256": "ab" * 32})
    tale.fate(second, fate)
    tale.promote(second)
    seen = tale.sees(lambda seen: seen.summary == "Rejected")
    assert (seen.serving, seen.condition("Ready")["status"]) == ("1", "True")
    (rejection,) = seen.status["rejected"]
    assert (rejection["version"], rejection["reason"]) == (second, reason)
    assert seen.condition("Stalled")["status"] == "False"


# What a ModelDeployment names, and what it is told: the condition, its reason, and what to do.
NOT_TO_BE_FOLLOWED: dict[str, tuple[dict[str, Any], str, Reason, str]] = {
    "no alias": ({"model": {"alias": "staging"}}, "AliasInSync", Reason.ALIAS_NOT_SET, "promote"),
    "case": ({"model": {"alias": "Production"}}, "AliasInSync", Reason.ALIAS_NOT_SET, "case"),
    "no model": ({"model": {"name": "nobody"}}, "AliasInSync", Reason.MODEL_NOT_FOUND, "register"),
    "no version": (
        {"model": {"alias": None, "version": "7"}},
        "AliasInSync",
        Reason.VERSION_NOT_FOUND,
        "correct spec.model.version",
    ),
    "no registry": (
        {"registry": "nowhere"},
        "Stalled",
        Reason.REGISTRY_NOT_FOUND,
        f"create it there (kubectl -n {NAMESPACE} ",
    ),
    "a registry of its own namespace": (
        {"registry": "ours"},
        "Stalled",
        Reason.REGISTRY_NOT_FOUND,
        f"in the operator's namespace {NAMESPACE}",
    ),
    "a namespace that is not allowed": (
        {"registry": "closed"},
        "Stalled",
        Reason.NOT_ALLOWED,
        "to its spec.allowedNamespaces",
    ),
    "a model that is not allowed": (
        {"registry": "picky"},
        "Stalled",
        Reason.NOT_ALLOWED,
        "to its spec.allowedModels",
    ),
    "a source that is not allowed": (
        {"model": {"alias": "elsewhere"}},
        "Stalled",
        Reason.SOURCE_NOT_ALLOWED,
        "to spec.allowedSources",
    ),
    "a source that floats": (
        {"registry": "floating"},
        "Stalled",
        Reason.SOURCE_NOT_ALLOWED,
        "Register the version from a run's artifact",
    ),
}


@beside
def test_what_cannot_be_followed_is_told_with_what_to_do_and_makes_no_pod(tale: Tale):
    client, stage = tale.mlflow.client, tale.stage
    version = client.create_model_version(tale.name, "s3://models/x").version
    client.set_registered_model_alias(tale.name, "elsewhere", version)
    stage.registry("closed", tale.url, allowedNamespaces=["others"])
    stage.registry("picky", tale.url, allowedModels=["others-*"])
    stage.registry("ours", tale.url, namespace=stage.namespace)
    stage.registry("floating", tale.floating)
    names = {case: f"case-{number}" for number, case in enumerate(NOT_TO_BE_FOLLOWED)}
    for case, (spec, *_) in NOT_TO_BE_FOLLOWED.items():
        model = {"name": tale.name, "alias": "production"} | spec.get("model", {})
        model = {field: value for field, value in model.items() if value is not None}
        stage.apply(names[case], tale.name, **spec | {"model": model})

    def reasons() -> dict[str, str | None]:
        seen = stage.views()
        return {case: seen[names[case]].reason(of[1]) for case, of in NOT_TO_BE_FOLLOWED.items()}

    expected = {case: str(of[2]) for case, of in NOT_TO_BE_FOLLOWED.items()}
    with contextlib.suppress(AssertionError):
        until(lambda: reasons() == expected)
    assert reasons() == expected
    seen = stage.views()
    for case, (_, kind, _, cure) in NOT_TO_BE_FOLLOWED.items():
        view = seen[names[case]]
        assert cure in view.condition(kind)["message"], case
        assert view.summary == ("Stalled" if kind == "Stalled" else "Waiting"), case
    assert stage.objects.list("Deployment", stage.namespace) == []


@beside
def test_a_modelregistry_that_is_applied_just_after_is_found_at_once_and_nobody_was_alarmed(
    tale: Tale,
):
    name = f"late-{tale.name}"
    tale.apply(registry=name)
    tale.sees(lambda seen: seen.summary == "Waiting")
    tale.stage.registry(name, tale.url)
    began = time.monotonic()
    tale.serves("1")
    assert time.monotonic() - began < 30
    events = tale.stage.objects.list("Event", tale.stage.namespace)
    assert "Stalled" not in {event["reason"] for event in events}
