"""Law 12: the serving process is trusted with nothing it does not need, whatever a user writes."""

import json
from typing import Any

import pytest

from pennant_operator.decide.manifests import render
from pennant_operator.decide.seen.spec import parse_spec
from pennant_testing.memory.object_builders import IMAGES, model_deployment, version

pytestmark = pytest.mark.unit

SKIP = ("eks.amazonaws.com/skip-containers", "azure.workload.identity/skip-containers")
# All that may be written in spec.serving, and what the definitions would prune.
HOSTILE: dict[str, Any] = {
    "credentialsSecret": "the-credentials",
    "serviceAccountName": "powerful",
    "env": [{"name": "MLFLOW_TRACKING_URI", "value": "http://elsewhere"}],
    "envFrom": [{"configMapRef": {"name": "everything"}}],
    "labels": {"azure.workload.identity/use": "true", "pennant.dev/slot": "green"},
    "annotations": {**dict.fromkeys(SKIP, "fetch"), "pennant.dev/model-version": "99"},
    "automountServiceAccountToken": True,
    "hostNetwork": True,
    "hostPID": True,
    "securityContext": {"runAsUser": 0, "privileged": True},
    "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
    "volumeMounts": [{"name": "root", "mountPath": "/host"}],
    "initContainers": [{"name": "more", "image": "x"}],
    "podTemplate": {"spec": {"hostNetwork": True}},
}
OWN_SERVER = {
    "mode": "Custom",
    "image": "models.example/api:3",
    "port": 9000,
    "probes": {"readiness": {"httpGet": {"path": "/health"}}},
}
SERVINGS = {
    "defaults": {},
    "hostile": HOSTILE,
    "custom": OWN_SERVER,
    "hostile custom": {**HOSTILE, **OWN_SERVER},
    "writable custom": {**OWN_SERVER, "writableRoot": True},
}
every_pod = pytest.mark.parametrize("serving", SERVINGS.values(), ids=SERVINGS)


def template(serving: dict[str, Any]) -> dict[str, Any]:
    spec = parse_spec(model_deployment(serving=serving))
    manifest = render.deployment_of(spec, version(7), "abc123", IMAGES)
    pod_template: dict[str, Any] = manifest["spec"]["template"]
    return pod_template


def containers(serving: dict[str, Any]) -> dict[str, dict[str, Any]]:
    pod = template(serving)["spec"]
    return {c["name"]: c for c in (*pod["initContainers"], *pod["containers"])}


@every_pod
def test_law_12_no_container_has_a_service_account_token(serving):
    pod = template(serving)["spec"]
    assert pod["automountServiceAccountToken"] is False
    kinds = {next(kind for kind in v if kind != "name") for v in pod["volumes"]}
    assert kinds - {"downwardAPI"} == {"emptyDir", "configMap"}


@every_pod
def test_law_12_a_pod_is_told_of_itself_one_annotation_and_nothing_else(serving):
    told = [v["downwardAPI"] for v in template(serving)["spec"]["volumes"] if "downwardAPI" in v]
    field = {"fieldPath": "metadata.annotations['pennant.dev/traffic']"}
    ours = serving.get("mode") != "Custom"
    assert told == ([{"items": [{"path": "traffic", "fieldRef": field}]}] if ours else [])


@every_pod
def test_law_12_the_pod_is_no_roots_and_under_the_default_seccomp_profile(serving):
    pod = template(serving)["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)


@every_pod
def test_law_12_both_containers_can_gain_nothing_and_write_to_volumes_only(serving):
    found = containers(serving)
    assert set(found) == {"fetch", "serve"}
    for name, container in found.items():
        writable = name == "serve" and serving.get("writableRoot", False)
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": not writable,
            "capabilities": {"drop": ["ALL"]},
        }


@every_pod
def test_law_12_serve_reads_the_bundle_and_cannot_change_it(serving):
    serve = containers(serving)["serve"]
    mounts = {m["mountPath"]: m.get("readOnly", False) for m in serve["volumeMounts"]}
    assert mounts.pop("/etc/pennant/traffic", True)
    assert mounts == {"/models": True, "/tmp": False}


@every_pod
def test_law_12_the_credentials_are_in_fetch_alone(serving):
    pod = template(serving)
    fetch = pod["spec"].pop("initContainers")
    assert "the-credentials" not in json.dumps(pod)
    assert ("the-credentials" in json.dumps(fetch)) == ("credentialsSecret" in serving)


@every_pod
def test_law_12_cloud_identity_webhooks_are_told_to_skip_serve(serving):
    annotations = template(serving)["metadata"]["annotations"]
    assert [annotations[key] for key in SKIP] == ["serve", "serve"]


def test_law_12_what_a_user_writes_does_not_reach_fetch():
    hostile, plain = containers(HOSTILE)["fetch"], containers({})["fetch"]
    assert hostile.pop("envFrom") == [{"secretRef": {"name": "the-credentials"}}]
    assert hostile == plain


def test_law_12_what_a_user_writes_replaces_no_label_or_annotation_of_ours():
    meta = template(HOSTILE)["metadata"]
    assert meta["annotations"]["pennant.dev/model-version"] == "7"
    assert meta["labels"]["pennant.dev/revision"] == "abc123"
