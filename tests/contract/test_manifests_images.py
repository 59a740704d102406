"""The Dockerfile, its locks and the rendered manifests name the same things."""

import re
import tomllib
from pathlib import Path

import pytest
from installing import Object, Tools

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


def test_the_image_with_boosters_is_the_serving_image_and_the_libraries_of_its_flavors():
    more = {pin.split("==")[0] for pin in pins("serving-boosters.txt") - pins("serving.txt")}
    assert pins("serving.txt") < pins("serving-boosters.txt")
    assert more == {"xgboost-cpu", "lightgbm", "onnxruntime", "flatbuffers"}


def test_flavors_are_tested_with_the_libraries_that_their_image_has():
    assert pins("serving-boosters.txt") <= pins("dev.txt")


def test_the_operators_image_holds_no_machine_learning_library():
    names = {pin.split("==")[0] for pin in pins("operator.txt")}
    assert not names & {"mlflow", "mlflow-skinny", "pandas", "numpy", "scikit-learn"}


def test_every_image_of_a_rendered_install_is_a_target_of_the_dockerfile():
    tools = Tools()
    overlays = ("cluster-install", "namespace-install", "demo/operator", "demo/mlflow")
    for name, found in {
        "chart": tools.chart(),
        **{o: tools.kustomized(o) for o in overlays},
    }.items():
        named = images(found)
        assert named, name
        assert {re.split("[:@]", image.rpartition("/")[2])[0] for image in named} <= targets()
        assert all(image.startswith("localhost/") for image in named if "demo" in name)


def images(rendered: list[Object]) -> set[str]:
    containers = [
        container
        for document in rendered
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
