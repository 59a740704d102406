"""What a bundle asks for, by the files that MLflow writes; bad lines are named."""

from __future__ import annotations

import sys

import pytest

from pennant_serving.adapters.versions import requirement
from pennant_serving.environment.asked import FILE_BYTES, read_asked
from pennant_serving.environment.requirement_lines import LINES
from pennant_serving.failures import PodError, Reason
from pennant_testing.packages.wheels import wheel

pytestmark = pytest.mark.unit

CPYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"
CONDA = """\
channels: [conda-forge]
dependencies:
- python=3.11.7
- pip<=23.2.1
- pip:
  - mlflow==2.19.0
  - scikit-learn==1.5.2
name: mlflow-env
"""
PYTHON_ENV = """\
python: 3.12.4
build_dependencies: [pip==24.0, setuptools==69.5.1, wheel==0.43.0]
dependencies: [-r requirements.txt]
"""


def bundle(folder, requirements=None, **files):
    named = {name.replace("_yaml", ".yaml"): text for name, text in files.items()}
    if requirements is not None:
        named["requirements.txt"] = requirements
    for name, text in named.items():
        (folder / name).write_text(text)
    return folder


def requirements(folder, text):
    return read_asked(bundle(folder, text)).requirements()


def refused(folder, text=None, **files):
    with pytest.raises(PodError) as raised:
        read_asked(bundle(folder, text, **files))
    assert raised.value.reason is Reason.ENVIRONMENT_MISMATCH
    return raised.value.message


def test_requirements_are_read_as_mlflow_writes_them(tmp_path):
    text = "mlflow==2.19.0\nscikit-learn==1.5.2  # fitted by it\n\n# more\nnumpy>=1.26,\\\n<2\n"
    assert requirements(tmp_path, text) == [
        "mlflow-skinny==2.19.0",
        "scikit-learn==1.5.2",
        "numpy<2,>=1.26",
    ]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("mlflow", "mlflow-skinny"),
        ("MLflow[extras,gateway]>=2.9,<3", "mlflow-skinny<3,>=2.9"),
        ("mlflow-skinny==3.17.2", "mlflow-skinny==3.17.2"),
        ("torch==2.5.1+cpu", "torch==2.5.1+cpu"),
        ('pywin32==306; sys_platform == "win32"', 'pywin32==306; sys_platform == "win32"'),
        ("uvicorn[standard]", "uvicorn[standard]"),
    ],
)
def test_a_line_is_what_uv_is_asked_for(tmp_path, line, asked):
    assert requirements(tmp_path, line) == [asked]


@pytest.mark.parametrize(
    ("line", "older"),
    [
        ("mlflow==2.9.2", True),
        ("mlflow<2.17,>=2.9", False),
        ("mlflow-skinny==2.16.*", True),
        ("mlflow<3,>=2.9", False),
        ("mlflow==2.19.0", False),
        ("mlflow", False),
        ("numpy==1.26.4", False),
    ],
)
def test_an_older_mlflow_gets_the_setuptools_that_it_imports(tmp_path, line, older):
    assert ("setuptools<81" in requirements(tmp_path, line)) is older


def test_a_mark_of_utf_8_and_line_ends_of_windows_are_no_part_of_a_line(tmp_path):
    text = "\ufeffscikit-learn==1.5.2\r\nnumpy==1.26.4\r\n"
    assert requirements(tmp_path, text) == ["scikit-learn==1.5.2", "numpy==1.26.4"]
    assert requirement(tmp_path, "scikit-learn") == "scikit-learn==1.5.2"


def test_our_own_package_is_there_already(tmp_path):
    assert requirements(tmp_path, "pennant[registry]==0.1\nnumpy\n") == ["numpy"]


def test_without_requirements_the_pip_part_of_conda_yaml_counts(tmp_path):
    asked = read_asked(bundle(tmp_path, conda_yaml=CONDA))
    assert asked.requirements() == ["mlflow-skinny==2.19.0", "scikit-learn==1.5.2"]
    assert asked.python == "3.11"


def test_requirements_count_before_conda_yaml(tmp_path):
    asked = read_asked(bundle(tmp_path, "numpy==1.26.4", conda_yaml=CONDA))
    assert asked.requirements() == ["numpy==1.26.4"]


def test_python_env_says_the_python_before_conda_yaml(tmp_path):
    files = {"conda_yaml": CONDA, "python_env_yaml": PYTHON_ENV}
    assert read_asked(bundle(tmp_path, "numpy", **files)).python == "3.12"


@pytest.mark.parametrize("text", ["python: 3.10", "python: '3.10'", "python: 3.10.14"])
def test_a_python_is_no_number(tmp_path, text):
    assert read_asked(bundle(tmp_path, "numpy\n", python_env_yaml=text)).python == "3.10"


@pytest.mark.parametrize("python", ["python>=3.9", "python", "pip"])
def test_a_bundle_need_not_say_its_python(tmp_path, python):
    text = f"dependencies: [{python!r}, {{pip: [numpy]}}]"
    assert read_asked(bundle(tmp_path, conda_yaml=text)).python == ""


def test_a_package_of_condas_is_named(tmp_path):
    text = "dependencies: [python=3.11, openjdk=17, {pip: [pyspark]}]"
    assert "'openjdk=17'" in refused(tmp_path, conda_yaml=text)


def test_what_only_conda_has_is_left_out_by_name_beside_requirements(tmp_path):
    text = "dependencies: [python=3.11, pip, openjdk=17, 'gdal >=3', {pip: [pyspark]}]"
    asked = read_asked(bundle(tmp_path, "pyspark", conda_yaml=text))
    assert asked.requirements() == ["pyspark"]
    assert asked.left_out == ("openjdk=17", "gdal >=3")
    assert read_asked(bundle(tmp_path, "pyspark", conda_yaml=CONDA)).left_out == ()


def test_a_conda_yaml_that_is_none_harms_no_requirements(tmp_path):
    files = {"conda_yaml": "{", "python_env_yaml": PYTHON_ENV}
    assert read_asked(bundle(tmp_path, "numpy", **files)).requirements() == ["numpy"]


def test_constraints_in_the_bundle_count(tmp_path):
    (tmp_path / "constraints.txt").write_text("scipy<1.15\n")
    asked = read_asked(bundle(tmp_path, "numpy\n-c constraints.txt\n"))
    assert asked.requirements() == ["numpy"]
    assert [line.requirement for line in asked.constraints] == ["scipy<1.15"]


@pytest.mark.parametrize("file", ["../constraints.txt", "/etc/passwd", "none.txt"])
def test_constraints_elsewhere_are_refused(tmp_path, file):
    (tmp_path / "constraints.txt").write_text("scipy")
    folder = tmp_path / "bundle"
    folder.mkdir()
    assert f"'-c {file}', names a file that is not in the bundle" in refused(folder, f"-c {file}")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-r other.txt", "is an option"),
        ("-e .", "is an option"),
        ("--index-url https://someone:secret@example.com/simple", "is an option"),
        ("--extra-index-url=https://example.com/simple", "is an option"),
        ("--find-links /wheels", "is an option"),
        ("git+https://token@example.com/x.git", "is no wheel"),
        ("x @ git+https://token@example.com/x.git", "is no wheel"),
        ("x @ https://example.com/x-1-py3-none-any.whl", "names an address"),
        ("https://example.com/x-1-py3-none-any.whl", "names an address"),
        ("file:///opt/x-1-py3-none-any.whl", "names an address"),
        ("x-1.0.tar.gz", "is no wheel"),
        ("code/x-1.0.zip", "is no wheel"),
        ("/opt/x-1-py3-none-any.whl", "is a file outside the bundle"),
        ("code/../../x-1-py3-none-any.whl", "is a file outside the bundle"),
        ("code/x-1-py3-none-any.whl", "is not in the bundle"),
        ("numpy==1.26.4 --hash=sha256:00", "has --hash"),
        ("./package", "is no requirement"),
        ("numpy; " + "(" * 100_000, "is no requirement"),
        ("numpy = 1.26", "is no requirement"),
        (r"numpy; os_name != 'a\x22\x27'", "is no requirement"),
        (r"numpy; os_name != 'a\n-r /etc/passwd'", "its marker holds a line break"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(tmp_path, line, problem):
    message = refused(tmp_path, f"numpy\n{line}\n")
    assert message.startswith(("requirements.txt line 2, ", "requirements.txt, "))
    assert problem in message
    assert ": " in message
    assert "secret" not in message
    assert "token" not in message


def test_wheels_in_the_bundle_are_asked_for(tmp_path):
    listed = wheel(tmp_path / "wheels", "listed", "1.0")
    beside = wheel(tmp_path / "code", "beside", "2.0")
    wheel(tmp_path / "code", "beside", "2.0", tag="cp39-cp39-win_amd64")
    named = requirements(tmp_path, f"wheels/{listed.name}\nnumpy\n./code/{beside.name}\n")
    assert named == ["numpy", f"beside @ {beside.as_uri()}", f"listed @ {listed.as_uri()}"]
    assert requirements(tmp_path, "numpy") == ["numpy", f"beside @ {beside.as_uri()}"]


def test_of_several_builds_of_a_wheel_in_the_bundle_one_is_asked_for(tmp_path):
    wheel(tmp_path / "code", "local", "1.0")
    better = wheel(tmp_path / "code", "local", "1.0", tag=f"{CPYTHON}-none-any")
    assert requirements(tmp_path, "numpy") == ["numpy", f"local @ {better.as_uri()}"]


def test_several_versions_of_a_wheel_in_the_bundle_are_named(tmp_path):
    files = [wheel(tmp_path / "code", "local", version) for version in ("1.0", "2.0")]
    message = refused(tmp_path, "numpy")
    assert f"'{files[0].name}, {files[1].name}', are several versions of a package" in message


def test_a_wheel_of_our_own_package_is_not_asked_for(tmp_path):
    wheel(tmp_path / "code", "pennant", "0.0.1")
    assert requirements(tmp_path, "numpy") == ["numpy"]


def test_a_link_out_of_the_bundle_is_not_followed(tmp_path):
    outside = wheel(tmp_path, "x", "1")
    folder = tmp_path / "bundle"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / outside.name).symlink_to(outside)
    assert "is not in the bundle" in refused(folder, f"code/{outside.name}")


def test_a_wheel_is_named_as_wheels_are(tmp_path):
    (tmp_path / "mine.whl").write_bytes(b"")
    with pytest.raises(PodError, match=r"'mine\.whl', is not named as a wheel is"):
        requirements(tmp_path, "mine.whl")


def test_a_bundle_without_requirements_is_refused(tmp_path):
    assert "neither requirements.txt nor conda.yaml" in refused(tmp_path)


def test_what_is_short_in_yaml_and_endless_as_a_text_is_refused(tmp_path):
    doubled = "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 64))
    text = f"x0: &x0 [x]\n{doubled}dependencies: [pip, {{pip: [*x63]}}]"
    assert "conda.yaml (pip)" in refused(tmp_path, conda_yaml=text)
    lines = f"x0: &x0 [x]\n{doubled}python: *x63"
    asked = read_asked(bundle(tmp_path, "numpy", conda_yaml=text, python_env_yaml=lines))
    assert asked.python == ""


@pytest.mark.parametrize("text", ["- [", "just text", "[" * 100_000, "a: &a [*a]\n- b", "\0"])
def test_damaged_yaml_is_named(tmp_path, text):
    assert "conda.yaml" in refused(tmp_path, conda_yaml=text)


@pytest.mark.parametrize(
    "text",
    ["dependencies: 7", "dependencies: [{pip: 7}]", "dependencies: [{pip: {a: b}}, {}]", "a: 1"],
)
def test_yaml_of_another_shape_asks_for_nothing(tmp_path, text):
    assert read_asked(bundle(tmp_path, conda_yaml=text, python_env_yaml=text)).lines == ()


def test_what_is_read_is_bounded(tmp_path):
    assert "lines" in refused(tmp_path, "numpy\n" * (LINES + 1))
    assert "bytes" in refused(tmp_path, "#" * (FILE_BYTES + 1))
