"""Others who change what the operator sets: an admission policy, and somebody with requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennant_dev.controlplane import ControlPlane, control_plane
from pennant_testing.control_plane.audit_log import USER, Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import still, until

pytestmark = pytest.mark.integration

MODEL = "admitted"
GATES = (
    "--feature-gates=MutatingAdmissionPolicy=true",
    "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
)
ADMISSION = "admissionregistration.k8s.io/v1beta1"
POD = "/spec/template/spec"
ONE_MORE = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
# What the policy makes of every Deployment of the namespace `policed`.
MUTATION = f"""\
[
  JSONPatch{{op: "replace", path: "{POD}/terminationGracePeriodSeconds", value: 60}},
  JSONPatch{{op: "replace", path: "{POD}/containers/0/image",
    value: "mirror.example/" + object.spec.template.spec.containers[0].image}}
] + (object.spec.template.spec.topologySpreadConstraints.size() > 1 ? [] : [
  JSONPatch{{op: "add", path: "{POD}/topologySpreadConstraints/-",
    value: Object.spec.template.spec.topologySpreadConstraints{{
      maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway"}}}}
])
"""
POLICY = {
    "apiVersion": ADMISSION,
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": "mirror"},
    "spec": {
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "policed"}},
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments"],
                }
            ],
        },
        "matchConditions": [
            {
                "name": "not-yet",
                "expression": "!object.spec.template.spec.containers[0].image.startsWith('mirror')",
            }
        ],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": MUTATION}}],
    },
}
BINDING = {
    "apiVersion": ADMISSION,
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": "mirror"},
    "spec": {"policyName": "mirror"},
}


@pytest.fixture(scope="module")
def policing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server of its own: the feature is not on by default."""
    folder = tmp_path_factory.mktemp("policing")
    with control_plane(folder, (*Audit.flags(folder), *GATES)) as plane:
        Objects(plane).install()
        yield plane


@pytest.fixture(scope="module")
def objects(policing: ControlPlane, mlflow_url: str) -> Objects:
    objects, mlflow = Objects(policing), Mlflow(mlflow_url)
    for each in (POLICY, BINDING):
        objects.apply(each)
    objects.namespace("policed")
    until(lambda: _polices(objects))
    Stage(objects, "team").registry("default", mlflow_url)
    mlflow.promote(MODEL, mlflow.register(MODEL))
    return objects


def _polices(objects: Objects) -> bool:
    """The API server takes a moment to hear of a policy."""
    pod = {"containers": [{"name": "a", "image": "a"}], "terminationGracePeriodSeconds": 1}
    pod["topologySpreadConstraints"] = [{**ONE_MORE, "topologyKey": "a", "labelSelector": {}}]
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
    }
    meta = {"name": "probe", "namespace": "policed"}
    probe = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    made = objects.apply(probe)
    objects.delete("Deployment", "policed", "probe")
    return bool(made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 60)


@dataclass(frozen=True)
class Place:
    """A namespace, an operator that works in it, and what it wrote by the API server's word."""

    stage: Stage
    running: Operator
    audit: Audit

    def quiet(self, since: int) -> list[str]:
        """What it wrote since a mark once it rests; Events are looked at by themselves."""
        self.running.rests(6)
        writes = self.audit.written(USER, since=since)
        return [f"{w.what} {w.name}" for w in writes if w.what != "events"]

    def messages(self) -> list[str]:
        events = self.stage.objects.list("Event", self.stage.namespace)
        return [e["note"] for e in events if e["reason"] == "FieldChangedByOthers"]

    def pod(self, name: str) -> dict[str, Any]:
        deployment = self.stage.objects.get("Deployment", self.stage.namespace, name)
        return dict(deployment["spec"]["template"]["spec"]) if deployment else {}


@pytest.fixture
def place(
    policing: ControlPlane, objects: Objects, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    stage = Stage(objects, request.param)
    with operator(Audit.kubeconfig(policing), tmp_path) as running:
        yield Place(stage, running, Audit.of(policing.folder))
    for name in stage.views():
        objects.delete("ModelDeployment", stage.namespace, name)


@pytest.mark.parametrize("place", ["policed"], indirect=True)
def test_what_admission_changes_is_accepted_and_said_once(
    place: Place, policing: ControlPlane, tmp_path: Path
):
    place.stage.apply("mirrored", MODEL)
    place.stage.serves("mirrored", "1")
    assert place.pod("mirrored-blue")["terminationGracePeriodSeconds"] == 60
    assert len(place.pod("mirrored-blue")["topologySpreadConstraints"]) == 2
    place.running.rests()
    assert place.quiet(place.audit.mark()) == []
    (message,) = place.messages()
    assert "containers[name=serve].image" in message
    assert "terminationGracePeriodSeconds" in message
    assert "topologySpreadConstraints" in message
    place.running.stop()
    since = place.audit.mark()
    with operator(Audit.kubeconfig(policing), tmp_path) as again:
        until(lambda: again.metric("pennant_reconcile_duration_seconds_count") >= 1)
        assert Place(place.stage, again, place.audit).quiet(since) == []
    assert place.messages() == [message]


@pytest.mark.parametrize("place", ["insisted"], indirect=True)
def test_what_somebody_insists_on_is_set_back_some_times_and_then_theirs(place: Place):
    place.stage.apply("contested", MODEL)
    place.stage.serves("contested", "1")
    place.running.rests()
    change = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 99}}}}
    for _ in range(3):
        place.stage.objects.patch("Deployment", "insisted", "contested-blue", change)
        until(lambda: place.pod("contested-blue")["terminationGracePeriodSeconds"] == 30)
    since = place.audit.mark()
    place.stage.objects.patch("Deployment", "insisted", "contested-blue", change)
    assert place.quiet(since) == []
    assert still(lambda: place.pod("contested-blue")["terminationGracePeriodSeconds"]) == 99
    (message,) = place.messages()
    assert "spec.template.spec.terminationGracePeriodSeconds was changed 3 times by" in message
    assert "python-urllib3" in message


@pytest.mark.parametrize("place", ["copied"], indirect=True)
def test_an_exported_copy_that_is_applied_again_and_again_is_accepted(place: Place):
    place.stage.apply("rec", MODEL)
    place.stage.serves("rec", "1")
    place.running.rests()
    live = place.stage.objects.get("Deployment", "copied", "rec-blue")
    assert live is not None
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    copy = {key: live[key] for key in ("apiVersion", "kind", "spec")}
    copy["metadata"] = {key: live["metadata"][key] for key in kept}
    copy["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 99
    for _ in range(3):
        place.stage.objects.apply(copy, manager="argocd-controller")
        until(lambda: place.pod("rec-blue")["terminationGracePeriodSeconds"] == 30)
    since = place.audit.mark()
    for _ in range(2):
        place.stage.objects.apply(copy, manager="argocd-controller")
        assert place.quiet(since) == []
    (message,) = place.messages()
    assert "argocd-controller and set back; from now on it is left" in message


@pytest.mark.parametrize("place", ["unlabelled"], indirect=True)
def test_a_child_without_its_label_gets_it_back_where_a_field_is_others_too(place: Place):
    place.stage.apply("labelled", MODEL)
    place.stage.serves("labelled", "1")
    place.running.rests()
    name, key = "labelled-blue", "app.kubernetes.io/managed-by"
    for _ in range(4):
        theirs = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "unlabelled"},
            "spec": {"template": {"spec": {"terminationGracePeriodSeconds": 99}}},
        }
        place.stage.objects.apply(theirs, manager="somebody")
        place.running.rests()
    for _ in range(4):
        place.stage.objects.patch(
            "Deployment", "unlabelled", name, {"metadata": {"labels": {key: None}}}
        )
        until(lambda: key in labels(place, name))


def labels(place: Place, name: str) -> dict[str, str]:
    live = place.stage.objects.get("Deployment", place.stage.namespace, name)
    return dict(live["metadata"]["labels"]) if live else {}
