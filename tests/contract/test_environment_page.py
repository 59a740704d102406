"""docs/environment.md has what the serving images hold, as their locks and the Dockerfile have it.

UPDATE_GOLDEN=1 writes the table.
"""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "environment.md"
TABLE = re.compile(r"(<!-- generated: libraries -->\n).*(<!-- end of libraries -->)", re.DOTALL)
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
LOCKS = {"pennant-serving": "serving", "pennant-serving-boosters": "serving-boosters"}
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


def locked(lock: str, python: str) -> list[tuple[str, str]]:
    """Name and version of each package that a lock installs on Linux with this Python."""
    platform = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
    }
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return [
        (name, version)
        for name, version, marker in LOCKED.findall(text)
        if not marker or Marker(marker).evaluate(platform)
    ]


def shown(lock: str, name: str) -> str:
    """Its version with the Python of the image, and with those that have another."""
    of_python = {python: dict(locked(lock, python)).get(name, "") for python in pythons()}
    usual = of_python[python_image()[1]]
    others = [f"{python}: {each}" for python, each in of_python.items() if each != usual]
    return usual + "".join(f" (Python {each})" for each in others)


def table() -> str:
    """The generated part of the page."""
    image, python = python_image()
    rows = [f"| | {' | '.join(f'`{image}`' for image in LOCKS)} |", "|---|---|---|"]
    rows.append(f"| Python | {python} (`{image}`) | {SAME} |")
    for name in ASKED_FOR:
        plain, boosters = (shown(lock, name) for lock in LOCKS.values())
        rows.append(f"| {name} | {plain or 'no'} | {SAME if plain == boosters else boosters} |")
    rows.append(f"| uv | {dict(locked('image-tools', python))['uv']} | {SAME} |")
    plain, boosters = ({name for name, _ in locked(lock, python)} for lock in LOCKS.values())
    others = {
        "And what these and the server need": ("serving", plain),
        "With boosters": ("serving-boosters", boosters - plain),
    }
    lines = [
        f"{title}: " + ", ".join(f"{name} {shown(lock, name)}" for name in sorted(names)) + "."
        for title, (lock, all_names) in others.items()
        if (names := all_names - set(ASKED_FOR))
    ]
    return "\n".join(rows) + "\n\n" + " ".join(lines)


def test_the_page_has_what_the_images_hold():
    text = TABLE.sub(lambda match: f"{match[1]}{table()}\n{match[2]}", PAGE.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text
    assert "<!-- generated: libraries -->" in text


def test_what_is_asked_for_is_in_an_image():
    assert set(ASKED_FOR) <= {name for name, _ in locked("serving-boosters", python_image()[1])}


def test_the_image_has_a_python_that_every_change_is_checked_with():
    assert python_image()[1] in pythons()


@pytest.mark.parametrize("lock", ["operator", "shared", "serving", "serving-boosters", "mlflow"])
def test_a_lock_is_for_every_python_and_gives_each_one_version_of_a_package(lock: str):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = pythons()[0]
    assert project["requires-python"] == f">={oldest}"
    assert f"--universal --python-version {oldest} --generate-hashes" in text.splitlines()[1]
    by_python = {name for name, _, marker in LOCKED.findall(text) if "python_full" in marker}
    for python in pythons():
        names = [name for name, _ in locked(lock, python)]
        assert len(names) == len(set(names))
        assert by_python <= set(names)
