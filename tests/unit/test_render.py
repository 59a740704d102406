"""The manifests, whole: a change here is a change of every new pod, so it is read as a diff.

UPDATE_GOLDEN=1 rewrites the files.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pennant_operator.decide.manifests import render
from pennant_operator.decide.manifests.pod import pod_spec
from pennant_operator.decide.manifests.tuning import tuning_env
from pennant_operator.decide.seen.revision import Record, revision_of
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_testing.memory.field_values import leaves, schema
from pennant_testing.memory.object_builders import (
    IMAGES,
    INDEX,
    REGISTRY,
    model_deployment,
    version,
)

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden"

FULL = {
    "image": "models.example/newsreco:3",
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "pull"}],
    "adapter": "newsreco.serving:NewsrecoAdapter",
    "environment": "Bundle",
    "python": "3.12",
    "selfTest": "Required",
    "workers": 2,
    "batching": {"mode": "Rows", "maxRows": 256, "maxDelay": "2.5ms"},
    "telemetry": {
        "accessLog": True,
        "traces": {"endpoint": "http://otel:4318", "ratio": "0.1"},
        "payloadLog": {"ratio": "0.001", "redact": ["user", "age"]},
    },
    "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}},
    "env": [{"name": "THREADS", "value": "1"}],
    "envFrom": [{"configMapRef": {"name": "tuning"}}],
    "credentialsSecret": "bucket",
    "serviceAccountName": "models",
    "storage": {"size": "2Gi", "cache": {"claimName": "model-cache", "maxSize": "20Gi"}},
    "fetch": {"resources": {"limits": {"memory": "512Mi"}}},
    "nodeSelector": {"pool": "models"},
    "tolerations": [{"key": "models", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "priorityClassName": "high",
    "labels": {"team": "news"},
    "annotations": {"note": "hello"},
}

CUSTOM = {
    "mode": "Custom",
    "image": "models.example/api:3",
    "command": ["python", "-m", "newsreco.api"],
    "args": ["--verbose"],
    "port": 9000,
    "probes": {
        "readiness": {"httpGet": {"path": "/health"}, "periodSeconds": 1},
        "liveness": {"tcpSocket": {"port": 9001}},
        "startup": {"grpc": {"service": "ready"}, "failureThreshold": 60},
    },
    "env": [{"name": "THREADS", "value": "1"}],
}


def record(number: int = 7, *, tag: bool = True, **spec) -> Record:
    parsed = parse_spec(model_deployment(**spec))
    manifest = render.deployment_of(parsed, version(number, tag=tag), "abc123", IMAGES, INDEX)
    return Record("abc123", "news", str(number), "source", None, manifest)


def deployment(number: int = 7, *, tag: bool = True, **spec) -> dict:
    parsed = parse_spec(model_deployment(**spec))
    return render.deployment_for_slot(
        parsed, record(number, tag=tag, **spec), slot="green", replicas=3
    )


def against_golden(name: str, *manifests: dict) -> None:
    path, text = GOLDEN / name, yaml.safe_dump_all(manifests, sort_keys=False)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def test_a_claim_with_the_bundle_is_mounted_into_fetch_alone_and_cannot_be_written():
    at = replace(version(7), source="pvc://mlflow-artifacts/root/1/models/m-7/artifacts")
    pod = pod_spec(parse_spec(model_deployment()), at, "abc123", IMAGES)
    (volume,) = (v for v in pod["volumes"] if "persistentVolumeClaim" in v)
    # Else fsGroup would change the owner of all that is in it.
    assert volume["persistentVolumeClaim"] == {"claimName": "mlflow-artifacts", "readOnly": True}
    mounting = {c["name"]: c["volumeMounts"] for c in pod["initContainers"] + pod["containers"]}
    (mount,) = (m for m in mounting["fetch"] if m["name"] == volume["name"])
    assert mount == {"name": "artifacts", "mountPath": "/mnt/artifacts", "readOnly": True}
    assert volume["name"] not in {m["name"] for m in mounting["serve"]}


def test_volumes_have_the_group_of_the_administrator_or_the_clusters_choice():
    def context(group: int | None) -> dict:
        images = replace(IMAGES, fs_group=group)
        pod = pod_spec(parse_spec(model_deployment()), version(7), "abc123", images)
        return pod["securityContext"]

    assert context(2000)["fsGroup"] == 2000
    assert "fsGroup" not in context(None)


def test_a_deployment_with_nothing_but_defaults():
    against_golden("deployment-defaults.yaml", deployment())


def is_written(serving: dict, path: tuple[str, ...]) -> bool:
    name, *below = path
    return name in serving and (not below or is_written(serving[name], tuple(below)))


def test_the_deployments_below_are_made_of_every_field_that_there_is():
    fields = leaves(schema("modeldeployments", "serving"))
    missing = [
        path for path in fields if not any(is_written(each, path) for each in (FULL, CUSTOM))
    ]
    assert missing == [("writableRoot",)]  # its test is below


def test_a_deployment_with_every_serving_field():
    against_golden("deployment-full.yaml", deployment(serving=FULL, tag=False))


def test_a_deployment_with_a_server_of_the_users_own():
    against_golden("deployment-custom.yaml", deployment(serving=CUSTOM))


def test_a_custom_server_may_have_a_writable_root_and_nothing_else_changes():
    closed = deployment(serving=CUSTOM)
    opened = deployment(serving={**CUSTOM, "writableRoot": True})
    (serve,) = opened["spec"]["template"]["spec"]["containers"]
    assert serve["securityContext"].pop("readOnlyRootFilesystem") is False
    serve["securityContext"]["readOnlyRootFilesystem"] = True
    assert opened == closed


def test_fetch_is_the_same_whoever_serves():
    own, custom = deployment(), deployment(serving=CUSTOM)
    specs = [each["spec"]["template"]["spec"] for each in (own, custom)]
    assert specs[0].pop("containers") != specs[1].pop("containers")
    assert specs[0]["volumes"].pop()["name"] == "traffic"  # for `serve` of ours
    assert specs[0] == specs[1]


def test_what_is_not_written_is_not_set():
    """A field that an operator learns must not change what it renders for those without it."""
    (serve,) = deployment(serving={"batching": {}, "telemetry": {"traces": {}}})["spec"][
        "template"
    ]["spec"]["containers"]
    (bare,) = deployment()["spec"]["template"]["spec"]["containers"]
    assert serve["env"] == bare["env"]


@pytest.mark.parametrize("check", ["Warn", "Strict", "Off"])
def test_a_check_of_the_environment_is_told_to_who_serves_where_it_is_written(check):
    (serve,) = deployment(environmentCheck=check)["spec"]["template"]["spec"]["containers"]
    (bare,) = deployment()["spec"]["template"]["spec"]["containers"]
    more = [each for each in serve["env"] if each not in bare["env"]]
    assert more == [{"name": "PENNANT_ENVIRONMENT_CHECK", "value": check}]


def test_a_check_of_the_environment_is_refused_of_a_custom_server_by_name():
    with pytest.raises(InvalidSpecError, match=r"^spec\.environmentCheck: a server of mode Custom"):
        parse_spec(model_deployment(serving=CUSTOM, environmentCheck="Warn"))


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("0s", "0"), ("5ms", "0.005"), ("0.001ms", "0.000001"), ("1s", "1"), ("500ms500ms", "1")],
)
def test_a_delay_is_told_in_decimal_seconds(delay, seconds):
    (variable,) = tuning_env({"batching": {"maxDelay": delay}})
    assert variable == {"name": "PENNANT_BATCH_MAX_DELAY", "value": seconds}


@pytest.mark.parametrize(
    ("delay", "message"), [("soon", "not a duration"), ("1001ms", "more than 1s"), ("1h", "1s")]
)
def test_a_delay_that_cannot_be_is_refused_by_name(delay, message):
    with pytest.raises(
        InvalidSpecError, match=rf"^spec\.serving\.batching\.maxDelay: '{delay}' .*{message}"
    ):
        parse_spec(model_deployment(serving={"batching": {"maxDelay": delay}}))


@pytest.mark.parametrize("field", ["image", "port", "probes"])
def test_a_custom_server_without_what_it_needs_is_refused_by_name(field):
    serving = {key: value for key, value in CUSTOM.items() if key != field}
    with pytest.raises(InvalidSpecError, match=rf"^spec\.serving\.{field} is missing"):
        parse_spec(model_deployment(serving=serving))


def test_the_children_around_the_slots():
    spec = parse_spec(model_deployment())
    against_golden(
        "surroundings.yaml",
        render.service_of(spec, "blue", {"pennant.dev/active-slot": "blue"}, record()),
        render.registry_config_of(spec, REGISTRY),
        render.registry_config_of(spec, replace(REGISTRY, index=INDEX)),
        render.digests_of(spec, {"abc123": "sha"}),
        render.disruption_budget_of(spec, "blue"),
    )


def ports(behind: Record | None) -> dict[str, int]:
    service = render.service_of(parse_spec(model_deployment()), "blue", {}, behind)
    return {port["name"]: port["port"] for port in service["spec"]["ports"]}


def test_the_service_offers_what_the_pods_behind_it_declare():
    assert ports(record()) == {"http": 80, "grpc": 9000}
    assert ports(record(serving=CUSTOM)) == {"http": 80}
    assert ports(None) == {"http": 80}


def test_a_record_from_before_grpc_leaves_its_service_as_it_is():
    old = record()
    (serve,) = old.manifest["spec"]["template"]["spec"]["containers"]
    serve["ports"] = [port for port in serve["ports"] if port["name"] == "http"]
    assert ports(old) == {"http": 80}


def test_what_a_user_writes_never_reaches_fetch():
    (fetch,) = deployment(serving=FULL)["spec"]["template"]["spec"]["initContainers"]
    assert fetch["image"] == IMAGES.by_python[FULL["python"]]  # the operator's own, too
    assert "THREADS" not in {variable["name"] for variable in fetch["env"]}
    assert fetch["envFrom"] == [{"secretRef": {"name": "bucket"}}]


def test_credentials_never_reach_serve():
    (serve,) = deployment(serving=FULL)["spec"]["template"]["spec"]["containers"]
    assert "bucket" not in str(serve)


@pytest.mark.parametrize(
    "other",
    [
        {"registry": "other"},
        {"model": "other"},
        {"version": "8"},
        {"created": 2},
        {"serving": {"adapter": "pyfunc"}},
        {"image": "news@sha256:0"},
        {"environment_check": "Warn"},
    ],
)
def test_a_revision_is_named_after_all_that_a_person_decided(other):
    same = {"registry": "r", "model": "m", "version": "7", "created": 1, "serving": {}}
    assert revision_of(**same) == revision_of(**same)
    assert revision_of(**same) != revision_of(**{**same, **other})


def _of_fetch(**serving):
    pod = deployment(serving=serving)["spec"]["template"]["spec"]
    return pod["initContainers"][0]["resources"]


def test_fetch_has_what_serve_has_but_no_device():
    given = {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": 1},
    }
    without = {**given, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert _of_fetch(resources=given) == without
    small = {"limits": {"memory": "100Mi"}}
    assert _of_fetch(resources=given, fetch={"resources": small}) == small


def test_fetch_has_a_limit_of_its_own_only_where_nobody_gives_serve_one():
    alone = {"requests": {"memory": "256Mi"}, "limits": {"memory": "256Mi"}}
    assert _of_fetch() == alone
    cpu = {"limits": {"cpu": "1"}}
    assert _of_fetch(resources=cpu) == {**alone, "limits": {"cpu": "1", "memory": "256Mi"}}


@pytest.mark.parametrize(("load", "seconds"), [("5m", 3600), ("2h", 7200)])
def test_the_kubelet_lets_a_model_load_for_its_deadline_and_an_hour_at_least(load, seconds):
    found = deployment(rollout={"deadlines": {"load": load}})
    (served,) = found["spec"]["template"]["spec"]["containers"]
    probe = served["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == seconds
    assert probe["httpGet"]["path"] == served["readinessProbe"]["httpGet"]["path"]
