"""What a bundle asks for and the image has otherwise, and what is done about it."""

from __future__ import annotations

import json
import platform
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import pytest

from pennant_serving.adapters.differences import SHOWN_DIFFERENCES, checked, differences
from pennant_serving.adapters.versions import installed
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.failures import PodError, Reason

pytestmark = pytest.mark.unit

NUMPY, SKLEARN = version("numpy"), version("scikit-learn")
OLD = {"sklearn": {"sklearn_version": "0.24.2"}}


def saved(folder: Path, flavors: dict[str, Any], *requirements: str) -> Bundle:
    """A bundle's MLmodel, without its model."""
    (folder / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    (folder / "requirements.txt").write_text("\n".join(requirements))
    return Bundle(folder, read_mlmodel(folder))


def listed(bundle: Bundle) -> list[tuple[str, str, str]]:
    return [(each.library, each.saved, each.here) for each in differences(bundle)]


def test_python_comes_first_then_the_flavors_library_then_the_rest(tmp_path):
    flavors = {**OLD, "python_function": {"python_version": "3.4.1"}}
    lines = ["numpy==1.2.3", "scikit-learn==0.24.2", "no-such-package==7.0"]
    assert listed(saved(tmp_path, flavors, *lines)) == [
        ("python", "3.4.1", platform.python_version()),
        ("scikit-learn", "0.24.2", SKLEARN),
        ("numpy", "1.2.3", NUMPY),
        ("no-such-package", "7.0", ""),
    ]


@pytest.mark.parametrize(
    ("line", "differs"),
    [
        (f"numpy=={NUMPY}", False),
        (f"numpy=={'.'.join(NUMPY.split('.')[:2])}.99", False),
        ("numpy==1.2.3", True),
        ("NumPy[all] == 1.2.3  # as it was", True),
        ("numpy===1.2.3", True),
        ("numpy", False),
        ("numpy>=1.2,<9", False),
        ("numpy<1", False),  # it leaves a choice: who resolves says more
        ("no_such.package", True),
        ("no-such-package>=1", True),
        ("numpy==1.*", False),
        ("mlflow", False),  # it is not here, and mlflow-skinny is
        ("mlflow==1.2.3", True),
        ('no-such-package==1.0; python_version < "3"', False),
        ("no-such-package @ https://example.com/x.whl", False),
        ("-r other.txt", False),
        ("--index-url https://example.com", False),
        ("https://example.com/x.whl", False),
        ("code/x-1-py3-none-any.whl", False),
        ("x-1-py3-none-any.whl", False),
        ("# numpy==1.2.3", False),
        ("", False),
    ],
)
def test_a_line_is_compared_by_the_one_version_that_it_wants(tmp_path, line, differs):
    assert bool(differences(saved(tmp_path, {}, line))) is differs


@pytest.mark.parametrize(
    ("python", "differs"),
    [(platform.python_version(), False), ("3.99.0", True), ("", False), (None, False)],
)
def test_python_is_compared_by_its_minor_number(tmp_path, python, differs):
    flavors = {"python_function": {"python_version": python}}
    assert bool(differences(saved(tmp_path, flavors))) is differs


def test_a_bundle_that_asks_for_nothing_differs_in_nothing(tmp_path):
    assert differences(Bundle(tmp_path, None)) == []


def test_what_is_installed_is_known_without_importing_what_tells_it():
    """By the folders that installers leave, as importlib.metadata finds them."""
    known = {each.name: each.version for each in distributions() if each.name}
    assert {name: installed(name) for name in known} == known


def test_warn_says_it_in_one_line_of_the_log(tmp_path, capsys):
    text = checked(saved(tmp_path, OLD, "no-such-package"), "Warn")
    assert text == f"scikit-learn 0.24.2 (here {SKLEARN}), no-such-package (here it is not)"
    assert capsys.readouterr().out == f"EnvironmentDiffers: the bundle asks for {text}\n"


def test_strict_ends_with_the_list_and_what_to_do(tmp_path):
    with pytest.raises(PodError, match=rf"asks for scikit-learn 0\.24\.2 \(here {SKLEARN}\): set"):
        checked(saved(tmp_path, OLD), "Strict")


@pytest.mark.parametrize("check", ["Off", "Warn", "Strict"])
def test_nothing_is_said_where_nothing_differs_or_nobody_asks(tmp_path, check, capsys):
    flavors = OLD if check == "Off" else {"sklearn": {"sklearn_version": SKLEARN}}
    assert checked(saved(tmp_path, flavors, f"numpy=={NUMPY}"), check) == ""
    assert capsys.readouterr().out == ""


def test_a_long_list_is_told_from_its_beginning(tmp_path):
    lines = [f"no-such-package-{n}" for n in range(SHOWN_DIFFERENCES + 5)]
    text = checked(saved(tmp_path, {}, *lines), "Warn")
    assert text.endswith("no-such-package-9 (here it is not), and 5 more")


def test_the_reason_is_one_that_rejects(tmp_path):
    with pytest.raises(PodError) as raised:
        checked(saved(tmp_path, OLD), "Strict")
    assert raised.value.reason is Reason.ENVIRONMENT_MISMATCH
