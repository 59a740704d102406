"""docs/environment.md has what the serving images hold, as their locks and the Dockerfile have it.

UPDATE_GOLDEN=1 writes the table.
"""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from pennant_testing.locks import FOLDER, installed, locked

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "environment.md"
TABLE = re.compile(r"(<!-- generated: libraries -->\n).*(<!-- end of libraries -->)", re.DOTALL)
LOCKS = ("serving", "serving-boosters")
SAME = "the same"
# What people save models with, and so what a bundle's requirements name.
ASKED_FOR = (
    *("mlflow-skinny", "scikit-learn", "numpy", "pandas", "scipy", "joblib", "cloudpickle"),
    *("skops", "xgboost-cpu", "lightgbm", "onnxruntime"),
)


def pythons() -> list[str]:
    """The Pythons that every change is checked with, such as 3.11; the oldest first."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yaml").read_text())
    (found,) = (
        job["strategy"]["matrix"]["python"]
        for job in workflow["jobs"].values()
        if "python" in job.get("strategy", {}).get("matrix", {})
    )
    return list(found)


def python_image() -> tuple[str, str]:
    """The Dockerfile's base image, and the Python in it."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    return image, re.fullmatch(r"python:([\d.]+)-slim", image)[1]


def versions(lock: str, python: str) -> dict[str, str]:
    return {each.name: each.version for each in installed(lock, python)}


def shown(lock: str, name: str) -> str:
    """Its version with the Python of the image, and with those that have another."""
    usual = versions(lock, python_image()[1]).get(name, "no")
    of_python = {python: versions(lock, python).get(name, "no") for python in pythons()}
    others = [f" (Python {python}: {each})" for python, each in of_python.items() if each != usual]
    return usual + "".join(others)


def listing(lock: str, names: set[str]) -> str:
    return ", ".join(f"{name} {shown(lock, name)}" for name in sorted(names - set(ASKED_FOR)))


def table() -> str:
    """The generated part of the page."""
    image, python = python_image()
    head = ["| | `pennant-serving` | `pennant-serving-boosters` |", "|---|---|---|"]
    rows = [("Python", f"{python} (`{image}`)", SAME)]
    for name in ASKED_FOR:
        usual, more = (shown(lock, name) for lock in LOCKS)
        rows.append((name, usual, SAME if more == usual else more))
    rows.append(("uv", versions("image-tools", python)["uv"], SAME))
    plain, boosters = (set(versions(lock, python)) for lock in LOCKS)
    rest = (
        f"And what these and the server need: {listing('serving', plain)}."
        f" With boosters: {listing('serving-boosters', boosters - plain)}."
    )
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows), "", rest])


def test_the_page_has_what_the_images_hold():
    text = TABLE.sub(lambda match: f"{match[1]}{table()}\n{match[2]}", PAGE.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text
    assert "<!-- generated: libraries -->" in text


def test_what_is_asked_for_is_in_an_image():
    assert set(ASKED_FOR) <= versions("serving-boosters", python_image()[1]).keys()


def test_the_image_has_a_python_that_every_change_is_checked_with():
    assert python_image()[1] in pythons()


@pytest.mark.parametrize("lock", ["operator", "shared", "serving", "serving-boosters", "mlflow"])
def test_a_lock_is_for_every_python_and_gives_each_one_version_of_a_package(lock: str):
    header = (FOLDER / f"{lock}.txt").read_text().splitlines()[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = pythons()[0]
    assert project["requires-python"] == f">={oldest}"
    assert f"--universal --python-version {oldest} --generate-hashes" in header
    by_python = {each.name for each in locked(lock) if "python_full_version" in each.marker}
    for python in pythons():
        names = [each.name for each in installed(lock, python)]
        assert len(names) == len(set(names))
        assert by_python <= set(names)
