"""The Dockerfile, its locks and the rendered manifests name the same things."""

import re
import tomllib
from pathlib import Path

import pytest

from pennant_dev.buildkey import ALWAYS, TARGETS
from pennant_testing.control_plane.install_tools import Tools
from pennant_testing.control_plane.objects import Object
from pennant_testing.locks import locked

pytestmark = pytest.mark.contract

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def targets() -> set[str]:
    return set(re.findall(r"^FROM \S+ AS (pennant-\S+)$", DOCKERFILE, re.MULTILINE))


def pins(lock: str) -> set[str]:
    return {f"{each.name}=={each.version}" for each in locked(lock)}


def test_images_are_built_with_the_backend_of_pyproject_and_the_uv_of_the_makefile():
    required = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]
    installed = re.findall(r"uv==\S+", (REPOSITORY / "Makefile").read_text())
    assert {*required["requires"], *installed} <= pins("image-tools")


def test_serving_and_mlflow_share_exactly_the_packages_that_both_need():
    assert set(locked("shared")) == set(locked("serving")) & set(locked("mlflow"))
    assert set(locked("shared")) < set(locked("serving-boosters"))
    assert {"pandas", "scikit-learn", "scipy", "mlflow-skinny"} <= {
        pin.split("==")[0] for pin in pins("shared")
    }


def test_every_lock_of_the_dockerfile_is_hashed_and_makes_its_images_new():
    named = set(re.findall(r"^COPY (requirements/[a-z-]+\.txt)", DOCKERFILE, re.MULTILINE))
    assert named == {
        f"requirements/{each}.txt" for each in ("image-tools", "operator", "shared", "mlflow")
    }
    for lock in named:
        assert any(lock in files for files in (ALWAYS, *TARGETS.values())), lock
    installs = re.findall(r"pip (?:sync|install) (?:[^\\\n]|\\\n)*", DOCKERFILE)
    ours = [each for each in installs if "--require-hashes" not in each]
    assert len(installs) > len(named)
    assert ["--offline" in each and "--no-deps" in each for each in ours] == [True]


def stages() -> list[str]:
    return re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)


def test_no_image_is_roots():
    for stage in stages():
        target = re.match(r"(\S+) AS (pennant-\S+)\n", stage)
        if target and not target[1].startswith("pennant-"):
            assert "\nUSER 65532:65532\n" in stage, target[2]
            assert stage.index("\nUSER ") > stage.rindex("\nCOPY "), target[2]


def test_the_serving_image_alone_has_uv_with_its_licences():
    parts = {"/tools/bin/uv", "/tools/lib/python3*/site-packages/uv-*.dist-info"}
    copied = {
        stage.splitlines()[0]: set(
            re.findall(r"^COPY --from=tools (\S*uv\S*) ", stage, re.MULTILINE)
        )
        for stage in stages()
    }
    assert {stage: each for stage, each in copied.items() if each} == {
        "shared AS pennant-serving": parts
    }
    assert "uv" not in {pin.split("==")[0] for pin in pins("serving-boosters")}


def test_the_example_needs_exactly_what_serving_needs():
    assert pins("newsreco") == pins("serving")


def test_the_image_with_boosters_is_the_serving_image_and_the_libraries_of_its_flavors():
    more = {pin.split("==")[0] for pin in pins("serving-boosters") - pins("serving")}
    assert pins("serving") < pins("serving-boosters")
    assert more == {"xgboost-cpu", "lightgbm", "onnxruntime", "flatbuffers"}


def test_flavors_are_tested_with_the_libraries_that_their_image_has():
    assert pins("serving-boosters") <= pins("dev")


def test_the_operators_image_holds_no_machine_learning_library():
    names = {pin.split("==")[0] for pin in pins("operator")}
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
    in_env = {
        entry["value"]
        for container in containers
        for entry in container["env"]
        if entry["name"].endswith("_IMAGE")
    }
    return in_env | {container["image"] for container in containers}
