"""Where an environment's packages come on the path, and which wheel of several is taken."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from pennant_serving.environment.overlay import activate
from pennant_serving.environment.record import (
    PYTHON,
    EnvironmentRecord,
    environment_path,
    read,
    record_path,
    write,
)
from pennant_serving.environment.wheels import Wheel, best, fits

pytestmark = pytest.mark.unit

RECORD = EnvironmentRecord("00", PYTHON, 1, 5, ("alpha==1.0 00",), "")


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "bundle"
    write(RECORD, record_path(path))
    return path


def test_its_packages_come_before_the_images_and_after_the_standard_library(
    model_path, monkeypatch
):
    stdlib = ["/usr/lib/python3.12", "/usr/lib/python3.12/lib-dynload"]
    site = ["/venv/lib/python3.12/site-packages", "/app"]
    monkeypatch.setattr(sys, "path", ["", "/first", *stdlib, *site])
    variables = {"PENNANT_ENVIRONMENT": "Bundle", "PENNANT_MODEL_PATH": str(model_path)}
    assert activate(variables) == RECORD
    assert sys.path == ["", "/first", *stdlib, str(environment_path(model_path)), *site]


def test_no_pth_file_of_it_is_run(model_path, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder, ran = environment_path(model_path), tmp_path / "ran"
    folder.mkdir()
    (folder / "first.pth").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n")
    (folder / "only_there.py").write_text("")
    activate({"PENNANT_ENVIRONMENT": "Bundle", "PENNANT_MODEL_PATH": str(model_path)})
    assert importlib.util.find_spec("only_there") is not None
    assert not ran.exists()


def test_the_images_packages_stay_alone_where_they_are_asked_for(model_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["/app"])
    assert activate({"PENNANT_MODEL_PATH": str(model_path)}) is None
    assert sys.path == ["/app"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 2}', '{"wheels": 1}'])
def test_a_record_of_another_format_is_none(tmp_path, text):
    path = record_path(tmp_path / "bundle")
    assert read(path) is None
    path.write_text(text)
    assert read(path) is None


def wheels(*tags):
    return [
        Wheel("x", "1.0", "00", f"https://example.com/x-1.0-{tag}.whl?signature=1") for tag in tags
    ]


def test_the_wheel_that_is_made_for_this_python_is_taken():
    here = f"cp{sys.version_info.major}{sys.version_info.minor}"
    own, other = f"{here}-none-any", "cp39-cp39-win_amd64"
    for tags in ([own, "py3-none-any", other], ["py3-none-any", other, own]):
        assert best(wheels(*tags)) == wheels(own)[0]
    assert best(wheels(other)) is None


def test_of_two_builds_the_later_is_taken():
    assert (
        best(wheels("1-py3-none-any", "12-py3-none-any", "py3-none-any"))
        == wheels("12-py3-none-any")[0]
    )


def test_what_is_named_otherwise_fits_nowhere():
    assert not fits("x.whl")
    assert fits("x-1.0-py3-none-any.whl")
