"""What our NetworkPolicies let through, asked of cyclonus, which was made to test network providers
and knows what each policy means; between pods as the manifests and the operator render them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_dev.binaries import ensure
from pennant_dev.shell import run
from pennant_operator.decide.manifests.hand_over import lobby_of
from pennant_operator.decide.seen.spec import parse_spec
from pennant_testing.control_plane.install_tools import NAMESPACE, Tools
from pennant_testing.control_plane.objects import Object
from pennant_testing.memory.object_builders import IMAGES, model_deployment

pytestmark = pytest.mark.contract

GOLDEN = Path(__file__).parents[1] / "golden"
TEAM = "team"
ANSWER = re.compile(r"\| IS ALLOWED\? \| +(TRUE|FALSE) ")


@dataclass(frozen=True, eq=False)
class Pod:
    """Who sends or gets: in a namespace, or outside of the cluster."""

    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)
    ip: str = "10.32.0.7"

    def peer(self) -> dict[str, Any]:
        if not self.namespace:
            return {"IP": self.ip}
        names = {"kubernetes.io/metadata.name": self.namespace}
        if self.namespace == "gateway":
            names["pennant.dev/calls-models"] = "true"
        inside = {"Namespace": self.namespace, "NamespaceLabels": names, "PodLabels": self.labels}
        return {"IP": self.ip, "Internal": inside}


def rendered(deployment: Object, namespace: str) -> Pod:
    template = deployment["spec"]["template"]
    ports = {
        each["containerPort"]: each["name"]
        for container in template["spec"]["containers"]
        for each in container["ports"]
    }
    return Pod(namespace, template["metadata"]["labels"], ports)


def golden(name: str) -> Pod:
    (deployment,) = (
        each
        for each in yaml.safe_load_all((GOLDEN / name).read_text())
        if each["kind"] == "Deployment"
    )
    return rendered(deployment, TEAM)


MODEL, CUSTOM = golden("deployment-defaults.yaml"), golden("deployment-custom.yaml")
(CUSTOM_PORT,) = CUSTOM.ports
PROMETHEUS, MLFLOW = Pod("monitoring"), Pod("mlflow")
DNS, OTHER, GATEWAY = Pod("kube-system"), Pod("other"), Pod("gateway")
NEIGHBOUR = Pod(TEAM, {"app": "web"}, {8080: "http"})
LOBBY = rendered(lobby_of(parse_spec(model_deployment()), IMAGES), TEAM)
STORE, WORLD = Pod(ip="10.20.0.9"), Pod(ip="203.0.113.5")
OPERATOR = Pod(NAMESPACE, {"app.kubernetes.io/name": "pennant-operator"}, {8081: "http"})

Connection = tuple[Pod, Pod, int]


def answers(policies: list[Object], connections: list[Connection], folder: Path) -> list[bool]:
    """Whether each connection is let through, at both of its ends."""
    # cyclonus reads a file as one object, and answers in the order that it was asked in.
    (folder / "policies").mkdir()
    for policy in policies:
        name = f"{policy['metadata']['namespace']}-{policy['metadata']['name']}.json"
        (folder / "policies" / name).write_text(json.dumps(policy))
    asked = [
        {
            "Source": source.peer(),
            "Destination": target.peer(),
            "ResolvedPort": port,
            "ResolvedPortName": target.ports.get(port, ""),
            "Protocol": "UDP" if port == 53 else "TCP",
        }
        for source, target, port in connections
    ]
    (folder / "traffic.json").write_text(json.dumps(asked))
    words = ["--mode=query-traffic", f"--policy-path={folder / 'policies'}"]
    traffic = f"--traffic-path={folder / 'traffic.json'}"
    said = run([ensure("cyclonus")["cyclonus"], "analyze", *words, traffic])
    return [word == "TRUE" for word in ANSWER.findall(said)]


def policies_of(objects: list[Object], namespace: str) -> list[Object]:
    found = [each for each in objects if each["kind"] == "NetworkPolicy"]
    for each in found:
        each["metadata"].setdefault("namespace", namespace)
    return found


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools()


@pytest.fixture(scope="module")
def of_models(tools: Tools) -> list[Object]:
    return policies_of(tools.kustomized("network-policies/models"), TEAM)


@pytest.fixture(scope="module")
def of_operator(tools: Tools) -> list[Object]:
    return policies_of(tools.chart("--set", "networkPolicy.enabled=true"), NAMESPACE)


def held(policies: list[Object], folder: Path, cases: dict[Connection, bool]) -> None:
    found = answers(policies, list(cases), folder)
    assert len(found) == len(cases)
    assert dict(zip(cases, found, strict=True)) == cases


def test_the_policy_of_the_operator_selects_the_pods_that_are_installed(tools: Tools):
    (deployment,) = (each for each in tools.chart() if each["kind"] == "Deployment")
    installed = rendered(deployment, NAMESPACE)
    assert OPERATOR.labels.items() <= installed.labels.items()
    assert installed.ports == {8081: "http", 8082: "webhooks"}


def test_who_reaches_the_operator(of_operator: list[Object], tmp_path: Path):
    held(
        of_operator,
        tmp_path,
        {
            (PROMETHEUS, OPERATOR, 8081): True,
            (MLFLOW, OPERATOR, 8082): True,
            (OPERATOR, OPERATOR, 8082): True,
            (MLFLOW, OPERATOR, 8081): False,
            (PROMETHEUS, OPERATOR, 8082): False,
            (MODEL, OPERATOR, 8081): False,
            (MODEL, OPERATOR, 8082): False,
            (WORLD, OPERATOR, 8082): False,
        },
    )


def test_whom_the_operator_reaches(of_operator: list[Object], tmp_path: Path):
    held(
        of_operator,
        tmp_path,
        {
            (OPERATOR, DNS, 53): True,
            (OPERATOR, WORLD, 6443): True,  # the API server is no pod
            (OPERATOR, MLFLOW, 5000): True,
            (OPERATOR, MODEL, 8080): True,
            (OPERATOR, CUSTOM, CUSTOM_PORT): True,
            (OPERATOR, MODEL, 9000): False,
            (OPERATOR, NEIGHBOUR, 8080): False,
            (OPERATOR, OTHER, 5000): False,
            (OPERATOR, WORLD, 80): False,
            (OPERATOR, WORLD, 53): False,
        },
    )


def test_who_calls_a_model(of_models: list[Object], tmp_path: Path):
    held(
        of_models,
        tmp_path,
        {
            (NEIGHBOUR, MODEL, 8080): True,
            (NEIGHBOUR, MODEL, 9000): True,
            (NEIGHBOUR, CUSTOM, CUSTOM_PORT): True,
            (GATEWAY, MODEL, 8080): True,
            (OPERATOR, MODEL, 8080): True,
            (PROMETHEUS, MODEL, 8080): True,
            (OPERATOR, MODEL, 9000): False,
            (PROMETHEUS, MODEL, 9000): False,
            (Pod(NAMESPACE, {"app": "else"}), MODEL, 8080): False,
            (OTHER, MODEL, 8080): False,
            (WORLD, MODEL, 8080): False,
            (NEIGHBOUR, MODEL, 22): False,
        },
    )


def test_whom_a_model_reaches(of_models: list[Object], tmp_path: Path):
    held(
        of_models,
        tmp_path,
        {
            (MODEL, DNS, 53): True,
            (MODEL, MLFLOW, 5000): True,
            (MODEL, MODEL, 8080): True,  # a rehearsal
            (MODEL, NEIGHBOUR, 8080): False,
            (MODEL, STORE, 443): False,
            (MODEL, WORLD, 443): False,
            (MODEL, OTHER, 5000): False,
        },
    )


def test_who_calls_the_lobby_and_whom_it_reaches(of_models: list[Object], tmp_path: Path):
    held(
        of_models,
        tmp_path,
        {
            (NEIGHBOUR, LOBBY, 8080): True,
            (GATEWAY, LOBBY, 9000): True,
            (PROMETHEUS, LOBBY, 8081): True,
            (OTHER, LOBBY, 8080): False,
            (WORLD, LOBBY, 8080): False,
            (LOBBY, MODEL, 8080): True,
            (LOBBY, MODEL, 9000): True,
            (LOBBY, DNS, 53): True,
            (LOBBY, MLFLOW, 5000): False,
            (LOBBY, NEIGHBOUR, 8080): False,
            (LOBBY, WORLD, 443): False,
        },
    )


def test_a_store_outside_of_the_cluster_is_one_more_rule(of_models: list[Object], tmp_path: Path):
    """As the file's comment writes it."""
    policy = next(each for each in of_models if each["metadata"]["name"] == "pennant-models")
    text = (Path(__file__).parents[2] / "manifests/network-policies/models/policy.yaml").read_text()
    commented = re.findall(r"^    # {3}(.*)$", text, re.MULTILINE)
    rules = [*policy["spec"]["egress"], *yaml.safe_load("\n".join(commented))]
    opened = {**policy, "spec": {**policy["spec"], "egress": rules}}
    cases = {(MODEL, STORE, 443): True, (MODEL, STORE, 80): False, (MODEL, WORLD, 443): False}
    held([opened], tmp_path, cases)


def test_without_policies_all_of_it_is_open(tmp_path: Path):
    """The questions can be answered the other way."""
    held([], tmp_path, {(WORLD, OPERATOR, 8082): True, (MODEL, WORLD, 443): True})
