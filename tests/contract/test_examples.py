"""The examples by whose READMEs a test on the cluster goes: what they name is there, and pinned."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from pennant_testing.folders import REPOSITORY
from pennant_testing.locks import locked
from pennant_testing.shown_commands import shown_commands

pytestmark = pytest.mark.contract

EXAMPLES = sorted(path.parent for path in (REPOSITORY / "examples").glob("*/README.md"))
LINES = 60
"""Of a README: one screen."""


@pytest.fixture(params=EXAMPLES, ids=lambda path: str(path.name))
def example(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_the_packages_of_an_example_are_in_the_index_of_the_tests(example: Path):
    pins = {f"{each.name}=={each.version}" for each in locked("bundle-middle")}
    asked = [str(Requirement(line)) for line in (example / "requirements.txt").read_text().split()]
    assert set(asked) <= pins


def test_an_example_saves_its_model_with_what_it_was_trained_with(example: Path):
    assert 'pip_requirements="requirements.txt"' in (example / "train.py").read_text()


def test_a_modeldeployment_brings_the_packages_of_the_model_that_is_trained(example: Path):
    applied = yaml.safe_load((example / "modeldeployment.yaml").read_text())
    assert applied["metadata"]["name"] == applied["spec"]["model"]["name"] == example.name
    assert applied["spec"]["serving"]["environment"] == "Bundle"
    script = (example / "train.py").read_text()
    assert f'"{example.name}", "{applied["spec"]["model"]["alias"]}"' in script


def test_a_readme_trains_serves_asks_and_rolls_back_on_one_screen(example: Path):
    page = example / "README.md"
    commands = [shown.command for shown in shown_commands(page)]
    programs = [command.split()[0] for command in commands]
    assert programs == [
        *("kubectl", "python3", ".venv/bin/python", ".venv/bin/python"),
        *("kubectl", "kubectl", "kubectl", "curl"),
        *(".venv/bin/python", "kubectl", ".venv/bin/python", "kubectl"),
    ]
    assert len(page.read_text().splitlines()) <= LINES


def test_every_link_of_a_readme_leads_somewhere(example: Path):
    links = re.findall(r"\]\(([^)#:]+)", (example / "README.md").read_text())
    assert [link for link in links if not (example / link).exists()] == []
