"""The oldest bundle of the tests is served by the lowest that the extra `runtime` promises.

`make lock` makes it so.
"""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from pennant_testing.locks import FOLDER, locked

pytestmark = pytest.mark.contract

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
BOUNDS = [Requirement(each) for each in PROJECT["optional-dependencies"]["runtime"]]


def lowest(requirement: Requirement) -> Version:
    (bound,) = (each for each in requirement.specifier if each.operator in {">=", "=="})
    return Version(bound.version)


def test_every_lower_bound_is_what_the_oldest_bundle_is_served_by():
    by_name = {each.name: Version(each.version) for each in locked("bundle-oldest")}
    for bound in BOUNDS:
        assert by_name[bound.name] == lowest(bound), f"{bound}: run `make lock`"


def test_it_is_resolved_so():
    assert "--resolution lowest-direct" in (FOLDER / "bundle-oldest.txt").read_text()
