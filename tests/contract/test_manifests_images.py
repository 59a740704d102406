"""The Dockerfile, its locks and the rendered manifests name the same things."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.contract

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def targets() -> set[str]:
    return set(re.findall(r"^FROM \S+ AS (pennant-\S+)$", DOCKERFILE, re.MULTILINE))


def pins(lock: str) -> set[str]:
    text = (REPOSITORY / "requirements" / lock).read_text()
    return set(re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE))


def test_the_build_backend_is_the_one_of_pyproject():
    required = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]
    assert [required["requires"][0]] == re.findall(r"hatchling==\S+", DOCKERFILE)


def test_the_example_needs_exactly_what_serving_needs():
    assert pins("newsreco.txt") == pins("serving.txt")


def test_the_operators_image_holds_no_machine_learning_library():
    names = {pin.split("==")[0] for pin in pins("operator.txt")}
    assert not names & {"mlflow", "mlflow-skinny", "pandas", "numpy", "scikit-learn"}


def test_every_image_of_a_rendered_install_is_a_target_of_the_dockerfile():
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed; `make cluster-up` builds one")
    for overlay in ("cluster-install", "demo/operator", "demo/mlflow"):
        folder = REPOSITORY / "manifests" / overlay
        rendered = subprocess.run(
            [kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=True
        ).stdout
        named = images(rendered)
        assert named, overlay
        assert {re.split("[:@]", name.rpartition("/")[2])[0] for name in named} <= targets()
        assert all(name.startswith("localhost/") for name in named if "demo" in overlay)


def images(rendered: str) -> set[str]:
    containers = [
        container
        for document in yaml.safe_load_all(rendered)
        if document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    ]
    told = {
        entry["value"]
        for container in containers
        for entry in container["env"]
        if entry["name"].endswith("_IMAGE")
    }
    return told | {container["image"] for container in containers}
