"""What a person reads when a field is wrong: kubectl against a real API server.

The cases are tests/golden/refused-specs.yaml; a rule of a CRD without a case there fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_dev.controlplane import ControlPlane
from pennant_dev.demo.kube import Kube
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError
from pennant_testing.control_plane.objects import CRDS
from pennant_testing.folders import REPOSITORY
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MANIFESTS = REPOSITORY / "manifests"
GOLDEN = REPOSITORY / "tests" / "golden"
CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load((GOLDEN / "refused-specs.yaml").read_text())
REFUSED = [(kind, case) for kind, cases in CASES.items() for case in cases]
SCHEMAS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for crd in (yaml.safe_load((MANIFESTS / "crd" / f"{n}.yaml").read_text()) for n in CRDS)
}
TOP = [
    f"{kind}.{part}.{field}"
    for kind, schema in SCHEMAS.items()
    for part in ("spec", "status")
    for field in schema["properties"][part]["properties"]
]
OURS = (
    "samples/modeldeployment",
    "samples/newsreco",
    "samples/custom",
    "samples/modelregistry",
    "samples/rolloutaction",
    "../examples/digits/modeldeployment",
    "../examples/diabetes/modeldeployment",
    "demo/newsreco/modeldeployment",
    "demo/registry/modelregistry",
)


@pytest.fixture(scope="module")
def kube(plane: ControlPlane) -> Iterator[Kube]:
    kubectl = Kube(Settings.from_env().bin / "kubectl", plane.kubeconfig)
    with pytest.MonkeyPatch.context() as environ:
        # Not what was found at this port before, of another server's.
        environ.setenv("KUBECACHEDIR", str(plane.folder / "cache"))
        # A kind is served a moment before its schema is published.
        until(lambda: all(kubectl("explain", kind, check=False) for kind in SCHEMAS))
        yield kubectl


def manifest(kind: str, *, name: str = "x", spec: dict[str, Any] | None = None) -> str:
    defaults = {"ModelDeployment": {"model": {"name": "news", "alias": "production"}}}
    body = {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**defaults.get(kind, {}), **(spec or {})},
    }
    return json.dumps(body)


def create(kube: Kube, text: str) -> str:
    """Nothing is kept; a field that the schema does not know is an error."""
    return kube("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)


def rules(schema: Any) -> Iterator[str]:
    """The message of every rule of a schema."""
    if isinstance(schema, dict):
        for rule in schema.get("x-kubernetes-validations", ()):
            if "oldSelf" not in rule["rule"]:  # of a change; test_operator_actions.py tries one
                yield rule["message"]
        for part in schema.values():
            yield from rules(part)


@pytest.mark.parametrize(("kind", "case"), REFUSED, ids=[c["says"][:60] for _, c in REFUSED])
def test_a_bad_field_is_refused_with_one_sentence(kube: Kube, kind: str, case: dict[str, Any]):
    text = manifest(kind, **{key: case[key] for key in ("name", "spec") if key in case})
    with pytest.raises(DevError) as refused:
        create(kube, text)
    _, _, message = str(refused.value).partition(" is invalid: ")
    how = r'(Invalid value: ".*"|Required value|Forbidden)'
    assert re.fullmatch(f"{re.escape(case['at'])}: {how}: {re.escape(case['says'])}", message)


@pytest.mark.parametrize("kind", CASES)
def test_every_rule_has_a_case(kind: str):
    assert set(rules(SCHEMAS[kind])) == {case["says"] for case in CASES[kind]}


@pytest.mark.parametrize("name", ["News", "news_rec", "-news", "news-", "nachrichten-für-alle"])
def test_an_impossible_name_is_refused(kube: Kube, name: str):
    with pytest.raises(DevError, match=r"metadata\.name"):
        create(kube, manifest("ModelDeployment", name=name))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"serving": {"mode": "Own"}}, 'supported values: "Pennant", "Custom"'),
        ({"rollout": {"strategy": "Shadow"}}, 'supported values: "BlueGreen", "Rolling"'),
        ({"replicas": -1}, "should be greater than or equal to 0"),
        ({"model": {"alias": "production"}}, "spec.model.name: Required value"),
        ({"replica": 2}, 'unknown field "spec.replica"'),
        *(
            ({"serving": {"resources": {"limits": {"cpu": wrong}}}}, "resources.limits.cpu")
            for wrong in ("lots", "", -1, "-1", True, [1], [], {"a": 1}, {}, "1e999")
        ),
        ({"serving": {"storage": {"size": "2 Gi"}}}, "spec.serving.storage.size: Invalid value"),
    ],
)
def test_what_the_schema_alone_refuses_is_told_by_the_api_server(
    kube: Kube, spec: dict[str, Any], message: str
):
    with pytest.raises(DevError, match=re.escape(message)):
        create(kube, manifest("ModelDeployment", spec=spec))


@pytest.mark.parametrize("quantity", [0.5, 1, 0, "0.5", ".5", "500m", "1.5e9", "1Gi", "2E"])
def test_quantities_are_written_as_in_a_pod(kube: Kube, quantity: float | str):
    serving = {"resources": {"limits": {"cpu": quantity}}, "storage": {"size": quantity}}
    create(kube, manifest("ModelDeployment", spec={"serving": serving}))


@pytest.mark.parametrize("file", OURS)
def test_a_sample_is_accepted(kube: Kube, file: str):
    document = yaml.safe_load((MANIFESTS / f"{file}.yaml").read_text())
    document["metadata"].pop("namespace", None)  # it may not exist here
    assert "created (server dry run)" in create(kube, json.dumps(document))


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("deployment-*.yaml")), ids=lambda f: f.stem)
def test_what_a_model_deployment_becomes_is_accepted(kube: Kube, file: Path):
    document = yaml.safe_load(file.read_text())
    document["metadata"]["namespace"] = "default"
    assert "created (server dry run)" in create(kube, json.dumps(document))


@pytest.mark.parametrize("path", TOP)
def test_kubectl_explains_every_field(kube: Kube, path: str):
    assert f"FIELD: {path.rpartition('.')[2]} <" in kube("explain", path)
