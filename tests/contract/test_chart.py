"""The Helm chart: its copies, its schema, and that every value does something."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_dev.shell import DevError
from pennant_operator.observe.mlflow.tls import context
from pennant_testing.certificates import Authority
from pennant_testing.control_plane.install_tools import CHART, MANIFESTS, Tools, parsed
from pennant_testing.control_plane.objects import Object
from pennant_testing.folders import REPOSITORY

pytestmark = pytest.mark.contract

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
COPIES = {
    "files/crd/modeldeployments.yaml": "crd/modeldeployments.yaml",
    "files/crd/modelregistries.yaml": "crd/modelregistries.yaml",
    "files/crd/rolloutactions.yaml": "crd/rolloutactions.yaml",
    "files/rbac/clusterrole.yaml": "base/clusterrole.yaml",
    "files/rbac/role.yaml": "base/role.yaml",
    "files/rbac/users.yaml": "crd/users.yaml",
    "files/policy/actor.yaml": "actor-policy/policy.yaml",
    "files/monitoring/monitors.yaml": "monitoring/monitors.yaml",
    "files/monitoring/rules.yaml": "monitoring/rules.yaml",
    "files/dashboards/fleet.json": "monitoring/dashboards/fleet.json",
    "files/dashboards/modeldeployment.json": "monitoring/dashboards/modeldeployment.json",
}
URL = "http://mlflow.example:5000"
USERS = ("pennant-view", "pennant-edit", "pennant-release", "pennant-admin")

# Something else for every value there is.
OTHER: dict[str, Any] = {
    "image.registry": "registry.example/ml",
    "image.operator.repository": "operator",
    "image.operator.tag": "1",
    "image.serving.repository": "serving",
    "image.serving.tag": "1",
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "pull"}],
    "crds.install": False,
    "crds.keep": False,
    "fixedIds": False,
    "actorPolicy": True,
    "monitoring.enabled": True,
    "monitoring.labels": {"release": "prometheus"},
    "monitoring.dashboards.enabled": True,
    "monitoring.dashboards.labels": {"dashboards": "ours"},
    "monitoring.dashboards.annotations": {"grafana_folder": "Models"},
    "replicas": 1,
    "podDisruptionBudget.enabled": False,
    "watchNamespaces": ["team-a"],
    "registry.name": "other",
    "registry.spec": {"url": URL, "pollInterval": "1s"},
    "env": [{"name": "PENNANT_LOG_FORMAT", "value": "json"}],
    "trustedCAs.configMap": "authorities",
    "trustedCAs.key": "bundle.pem",
    "networkPolicy.enabled": True,
    "networkPolicy.metricsFrom": [],
    "networkPolicy.webhooksFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
    "networkPolicy.egress": [],
    "commonLabels": {"team": "ml"},
    "serviceAccount.annotations": {"cloud.example/role": "reader"},
    "podLabels": {"zone": "b"},
    "podAnnotations": {"note": "x"},
    "podSecurityContext": {"runAsUser": 1000},
    "securityContext": {"runAsNonRoot": True},
    "resources": {"limits": {"memory": "1Gi"}},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 2}],
    "priorityClassName": "system-cluster-critical",
}
NETWORK = ("--set", "networkPolicy.enabled=true")
# And what makes it count, where that is something else.
NEEDED = {
    "trustedCAs.key": ("--set", "trustedCAs.configMap=authorities"),
    "networkPolicy.metricsFrom": NETWORK,
    "networkPolicy.webhooksFrom": NETWORK,
    "networkPolicy.egress": NETWORK,
    "monitoring.dashboards.labels": ("--set", "monitoring.dashboards.enabled=true"),
    "monitoring.dashboards.annotations": ("--set", "monitoring.dashboards.enabled=true"),
    "registry.name": ("--set", f"registry.spec.url={URL}"),
    "monitoring.labels": ("--set", "monitoring.enabled=true"),
}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools()


def leaves(values: Object, schema: Object, path: str = "") -> Iterator[str]:
    """Every value that a person sets as one."""
    for name, value in values.items():
        known = schema["properties"][name]
        if "$ref" in known:
            known = SCHEMA["definitions"][known["$ref"].rpartition("/")[2]]
        if value and "properties" in known:
            yield from leaves(value, known, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def of(objects: list[Object], kind: str) -> list[Object]:
    return [obj for obj in objects if obj["kind"] == kind]


def pod(objects: list[Object]) -> Object:
    (deployment,) = of(objects, "Deployment")
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize(("copy", "source"), COPIES.items())
def test_a_copy_is_the_same_to_the_byte(copy: str, source: str):
    assert (CHART / copy).read_bytes() == (MANIFESTS / source).read_bytes(), "run `make chart`"


def test_there_is_no_other_copy():
    found = {str(each.relative_to(CHART)) for each in CHART.rglob("files/*/*")}
    assert found == COPIES.keys()


def test_helm_finds_nothing_to_say_about_it(tools: Tools):
    assert "0 chart(s) failed" in tools.helm("lint", "--strict", str(CHART))


def test_the_version_is_the_distributions():
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    tags = re.findall(
        r"newTag: (\S+)", (MANIFESTS / "cluster-install/kustomization.yaml").read_text()
    )
    assert {chart["version"], chart["appVersion"], *tags} == {version}


def test_values_and_schema_name_the_same_things():
    assert set(leaves(VALUES, SCHEMA)) == OTHER.keys()
    assert SCHEMA["properties"].keys() - VALUES.keys() == {"global"}


def test_every_object_of_the_schema_is_closed_or_kubernetes_own():
    def look(schema: Any, path: str) -> Iterator[str]:
        if isinstance(schema, dict):
            if "properties" in schema and schema.get("additionalProperties") is not False:
                yield path
            for name, value in schema.items():
                yield from look(value, f"{path}.{name}")

    assert list(look(SCHEMA, "")) == []


def test_the_default_registry_takes_the_fields_of_its_definition():
    crd = yaml.safe_load((MANIFESTS / "crd" / "modelregistries.yaml").read_text())
    (version,) = crd["spec"]["versions"]
    fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert (
        SCHEMA["properties"]["registry"]["properties"]["spec"]["properties"].keys() == fields.keys()
    )


@pytest.mark.parametrize("path", OTHER)
def test_every_value_changes_what_is_installed(tools: Tools, path: str):
    base = NEEDED.get(path, ())
    assert tools.chart(*base) != tools.chart(
        *base, "--set-json", f"{path}={json.dumps(OTHER[path])}"
    )


def test_reused_values_of_a_release_from_before_a_value_was_there_are_as_good(tools: Tools):
    """`helm upgrade --reuse-values` takes its defaults, too; an empty key is as if not there."""
    since = (
        *("monitoring", "serviceAccount", "registry.spec"),
        *("fixedIds", "podDisruptionBudget", "trustedCAs", "networkPolicy", "commonLabels"),
        *("podLabels", "podSecurityContext", "securityContext", "topologySpreadConstraints"),
    )
    assert tools.chart("--set", ",".join(f"{each}=null" for each in since)) == tools.chart()


def test_common_labels_are_on_every_object_and_change_none_of_ours(tools: Tools):
    ours = "app.kubernetes.io/name"
    labels = json.dumps({"team": "ml", ours: "x"})
    shown = ("--set-json", f'monitoring.dashboards={{"enabled": true, "labels": {labels}}}')
    everything = ("--set", f"monitoring.enabled=true,actorPolicy=true,registry.spec.url={URL}")
    objects = tools.chart(*everything, *shown, *NETWORK, "--set-json", f"commonLabels={labels}")
    (deployment,) = of(objects, "Deployment")
    for each in [*objects, deployment["spec"]["template"]]:
        found = each["metadata"]["labels"]
        assert found["team"] == "ml"
        if each.get("kind") not in {"CustomResourceDefinition", "ClusterRole"}:
            assert found[ours] == "pennant-operator"


@pytest.mark.parametrize("name", ["123", "true", "1e3"])
def test_names_that_yaml_takes_for_something_else_are_names(tools: Tools, name: str):
    words = ("--set", "monitoring.enabled=true,monitoring.dashboards.enabled=true", *NETWORK)
    for each in parsed(tools.helm("template", name, str(CHART), *words, "-n", name)):
        metadata = each["metadata"]
        assert metadata.get("namespace", name) == name
        assert metadata.get("labels", {}).get("app.kubernetes.io/instance", name) == name


def test_trusted_authorities_are_read_where_the_operator_looks_for_them(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spec = pod(tools.chart("--set", "trustedCAs.configMap=authorities,trustedCAs.key=bundle.pem"))
    (container,) = spec["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == "trusted-cas")
    (volume,) = (each for each in spec["volumes"] if each["name"] == "trusted-cas")
    (item,) = volume["configMap"]["items"]
    assert told["SSL_CERT_FILE"] == f"{mount['mountPath']}/{item['path']}"
    assert (volume["configMap"]["name"], item["key"]) == ("authorities", "bundle.pem")

    own, registrys = Authority("of the company"), Authority("of the registry")
    (tmp_path / "ca.crt").write_text(own.own.crt)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    assert "of the company" in trusted("")
    assert trusted(registrys.own.crt) == "of the registry"  # spec.caBundle says all


def trusted(ca_bundle: str) -> str:
    """Names of the authorities that the operator trusts for a registry."""
    named = [
        dict(*each["subject"])["commonName"] for each in context(ca_bundle, None).get_ca_certs()
    ]
    return ", ".join(named)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("crd.install=false", "additional properties 'crd' not allowed"),
        ("image.regsitry=x", "additional properties 'regsitry' not allowed"),
        ("registry.spec.pollInterval=1s", "missing property 'url'"),
        ("registry.spec.url=mlflow:5000", "does not match pattern"),
        ("watchNamespaces={Team_A}", "does not match pattern"),
        ("crds.keep=please", "got string, want boolean"),
        (
            "networkPolicy.metricsFrom[0].namespace=x",
            "additional properties 'namespace' not allowed",
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tools: Tools, wrong: str, message: str):
    with pytest.raises(DevError, match=re.escape(message)):
        tools.chart("--set", wrong)


def test_the_registry_of_images_is_that_of_every_image(tools: Tools):
    spec = pod(tools.chart("--set", "image.registry=registry.example/ml/"))
    images = {entry["value"] for entry in spec["containers"][0]["env"] if "IMAGE" in entry["name"]}
    assert spec["containers"][0]["image"].startswith("registry.example/ml/pennant-operator:")
    assert {image.rpartition(":")[0] for image in images} == {"registry.example/ml/pennant-serving"}


def test_named_namespaces_take_every_right_in_the_cluster_away(tools: Tools):
    found = tools.chart("--set", "crds.install=false,watchNamespaces={team-a,team-b}")
    assert of(found, "ClusterRole") + of(found, "ClusterRoleBinding") == []
    for kind in ("Role", "RoleBinding"):
        places = [
            (obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in of(found, kind)
        ]
        assert sorted(places) == [
            ("pennant-system", "pennant-operator"),
            ("team-a", "pennant-operator-modeldeployments"),
            ("team-b", "pennant-operator-modeldeployments"),
        ]


def test_definitions_and_their_users_rights_are_kept_installed_or_left_out(tools: Tools):
    def policies(*words: str) -> list[Any]:
        found = tools.chart(*words)
        roles = [r for r in of(found, "ClusterRole") if r["metadata"]["name"] in USERS]
        objects = of(found, "CustomResourceDefinition") + roles
        return [obj["metadata"].get("annotations") for obj in objects]

    assert policies() == [{"helm.sh/resource-policy": "keep"}] * (3 + len(USERS))
    assert policies("--set", "crds.keep=false") == [None] * (3 + len(USERS))
    assert policies("--set", "crds.install=false") == []


def test_a_default_registry_comes_after_its_definition(tools: Tools):
    (made,) = of(tools.chart("--set", f"registry.spec.url={URL}"), "ModelRegistry")
    # Not after a rollback, which would bring back what an earlier release had rendered.
    assert made["metadata"]["annotations"] == {"helm.sh/hook": "post-install,post-upgrade"}
    assert made["metadata"]["namespace"] == "pennant-system"
    assert made["spec"] == {"url": URL}
    assert of(tools.chart(), "ModelRegistry") == []
