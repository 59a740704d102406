"""What a bundle asks for: packages by requirements.txt or conda.yaml, and the Python it was made
with."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from pennant_serving.environment.requirement_lines import (
    OWN,
    ParsedLines,
    RequirementLine,
    bad,
    logical_lines,
    parse,
)
from pennant_serving.environment.wheels import Wheel, best, fits
from pennant_serving.failures import PodError, Reason

FILE_BYTES = 256 * 1024
"""Of one file that is read, at most."""
REQUIREMENTS, CONDA, PYTHON_ENV = "requirements.txt", "conda.yaml", "python_env.yaml"
UPPER = ("==", "~=", "<", "<=")
PKG_RESOURCES = "setuptools<81"
"""MLflow before 2.17 imports a module of its, which later ones lack, and does not list it."""
WITH_PIP = ("python", "pip", "setuptools", "wheel")
"""Packages of conda that a wheel's environment does without."""


@dataclass(frozen=True)
class AskedEnvironment:
    """Of one bundle."""

    lines: tuple[RequirementLine, ...]
    constraints: tuple[RequirementLine, ...]
    wheels: tuple[Path, ...]
    """Files in the bundle."""
    python: str
    """Major and minor; empty when the bundle does not say."""
    left_out: tuple[str, ...] = ()
    """Packages of conda's, beside a requirements.txt: no index has them."""

    def requirements(self) -> list[str]:
        """As uv gets them."""
        named = [line.requirement for line in self.lines if not line.is_file]
        named += [PKG_RESOURCES] * any(map(_is_older_mlflow, self.lines))
        return named + [f"{project(path)} @ {path.resolve().as_uri()}" for path in self.wheels]


def read_asked(bundle: Path) -> AskedEnvironment:
    """Raises PodError: nothing is asked for, or a line cannot be done."""
    parsed = parse(_lines(bundle))
    constraints = [
        each
        for name in parsed.constraint_files
        for each in _constraints(bundle, name).lines
        if not each.is_file
    ]
    wheels = {_wheel(bundle, line) for line in parsed.lines if line.is_file}
    beside = (bundle / "code").glob("*.whl")
    wheels |= {path for path in beside if fits(path.name) and _is_inside(bundle, path)}
    return AskedEnvironment(
        parsed.lines,
        tuple(constraints),
        tuple(_one_of_each(wheels)),
        _python(bundle),
        _left_out(bundle),
    )


def project(wheel: Path) -> str:
    """The normalised name of the package in a wheel. Raises PodError."""
    try:
        return str(parse_wheel_filename(wheel.name)[0])
    except InvalidWheelFilename as error:
        problem = "is not named as a wheel is: name-version-python-abi-platform.whl"
        raise bad("the bundle", wheel.name, problem) from error


def _one_of_each(wheels: Iterable[Path]) -> Iterator[Path]:
    """Of several builds of a package the one that an installer would take. Raises PodError."""
    packages: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(wheels):
        packages[project(path)].append(path)
    packages.pop(OWN, None)  # as where a line names it
    for name, paths in packages.items():
        version, *others = {str(parse_wheel_filename(path.name)[1]) for path in paths}
        if others:
            named = ", ".join(path.name for path in paths)
            raise bad("the bundle", named, "are several versions of a package: log one of them")
        chosen = best(Wheel(name, version, "", path.resolve().as_uri()) for path in paths)
        yield (chosen and chosen.path) or paths[0]


def _is_older_mlflow(line: RequirementLine) -> bool:
    """Whether what a line lets through is older than 2.17."""
    if line.name != "mlflow-skinny":
        return False
    bounds = [each for each in Requirement(line.requirement).specifier if each.operator in UPPER]
    return any(Version(each.version.removesuffix(".*")) < Version("2.17") for each in bounds)


def _lines(bundle: Path) -> Iterator[tuple[str, str]]:
    if (bundle / REQUIREMENTS).is_file():
        return logical_lines(REQUIREMENTS, _text(bundle, REQUIREMENTS))
    if (bundle / CONDA).is_file():
        return _of_conda(_yaml(bundle, CONDA))
    raise PodError(
        Reason.ENVIRONMENT_MISMATCH,
        f"the bundle has neither {REQUIREMENTS} nor {CONDA}, and serving.environment is Bundle: log"
        " the model with pip_requirements, or set serving.environment to Image",
    )


def _of_conda(content: Any) -> Iterator[tuple[str, str]]:
    for package in _condas_own(content):
        raise bad(CONDA, package, "is a package of conda's: list it under pip, or set an"
                  " image that has it and serving.environment to Image")  # fmt: skip
    for each in _dependencies(content):
        if isinstance(each, dict):
            for line in _listed(each.get("pip")):
                # What else it may be is no requirement, and of aliases endless as a text.
                yield f"{CONDA} (pip)", line.strip() if isinstance(line, str) else "..."


def _condas_own(content: Any) -> Iterator[str]:
    """What conda alone installs."""
    for each in _dependencies(content):
        if isinstance(each, str) and canonicalize_name(_CONDA_NAME.split(each)[0]) not in WITH_PIP:
            yield each


def _left_out(bundle: Path) -> tuple[str, ...]:
    if not all((bundle / name).is_file() for name in (REQUIREMENTS, CONDA)):
        return ()
    with suppress(PodError):  # all that is asked for is in the other file
        return tuple(_condas_own(_yaml(bundle, CONDA)))
    return ()


def _constraints(bundle: Path, name: str) -> ParsedLines:
    inside = _inside(bundle, name)
    if inside is None:
        raise bad(REQUIREMENTS, f"-c {name}", "names a file that is not in the bundle")
    return parse(logical_lines(name, _text(bundle, name)))


def _wheel(bundle: Path, line: RequirementLine) -> Path:
    path = _inside(bundle, line.requirement)
    if path is None:
        raise bad(REQUIREMENTS, line.text, "is not in the bundle: log the wheel with the model")
    return path


def _inside(bundle: Path, name: str) -> Path | None:
    """A file of the bundle, however it is reached."""
    path = bundle / name
    return path if path.is_file() and _is_inside(bundle, path) else None


def _is_inside(bundle: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(bundle.resolve())


def _python(bundle: Path) -> str:
    if (bundle / PYTHON_ENV).is_file():
        content = _yaml(bundle, PYTHON_ENV)
        if match := _VERSION.match(_text_or_empty(content.get("python"))):
            return match[1]
    if (bundle / CONDA).is_file():
        listed = _dependencies(_yaml(bundle, CONDA))
        matches = (_CONDA_PYTHON.match(_text_or_empty(each)) for each in listed)
        return next((match[1] for match in matches if match), "")
    return ""


def _dependencies(content: Any) -> list[Any]:
    return _listed(content.get("dependencies"))


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _yaml(bundle: Path, name: str) -> dict[str, Any]:
    try:
        # Into texts alone: else `python: 3.10` would be a number, and 3.1.
        content = yaml.load(_text(bundle, name), Loader=yaml.BaseLoader)  # noqa: S506 - makes no objects
    except (yaml.YAMLError, RecursionError) as error:
        raise PodError(Reason.ENVIRONMENT_MISMATCH, f"{name} is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise PodError(Reason.ENVIRONMENT_MISMATCH, f"{name} holds no YAML mapping")
    return content


def _text(bundle: Path, name: str) -> str:
    path = bundle / name
    if path.stat().st_size > FILE_BYTES:
        problem = f"{name} has {path.stat().st_size} bytes: more than {FILE_BYTES} are not read"
        raise PodError(Reason.ENVIRONMENT_MISMATCH, problem)
    return path.read_text("utf-8-sig", errors="replace")  # editors on Windows put a mark in front


_CONDA_NAME = re.compile(r"[\s=<>!~\[]")
_VERSION = re.compile(r"\s*(\d+\.\d+)")
_CONDA_PYTHON = re.compile(r"python\s*={1,2}\s*(\d+\.\d+)")
