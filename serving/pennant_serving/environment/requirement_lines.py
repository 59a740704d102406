"""One line of a bundle's requirements, as uv is to be asked for it; the bad ones by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pennant_serving.failures import PodError, Reason

OWN = "pennant"
"""This very package: what the server runs on is there already."""
LINES = 1000
"""Of a file, at most."""


@dataclass(frozen=True)
class RequirementLine:
    """A line that asks for something."""

    text: str
    """As the bundle has it."""
    name: str
    """Of the package, normalised; empty for a file."""
    requirement: str
    """As uv gets it; for a file, its path in the bundle."""

    @property
    def is_file(self) -> bool:
        return not self.name


@dataclass(frozen=True)
class ParsedLines:
    """All of a file."""

    lines: tuple[RequirementLine, ...]
    constraint_files: tuple[str, ...]
    """Paths in the bundle."""


def parse(texts: Iterator[tuple[str, str]]) -> ParsedLines:
    """(where, line) to what it asks for. Raises PodError, which names the line."""
    lines: list[RequirementLine] = []
    constraints: list[str] = []
    for where, text in texts:
        if match := _CONSTRAINTS.fullmatch(text):
            constraints.append(match[1])
        elif (line := _line(where, text)) is not None:
            lines.append(line)
    return ParsedLines(tuple(lines), tuple(constraints))


def logical_lines(file: str, content: str) -> Iterator[tuple[str, str]]:
    """(where, line) of a file in pip's format, joined where one goes on, without comments. Raises
    PodError."""
    physical = content.splitlines()
    if len(physical) > LINES:
        problem = f"{file} has {len(physical)} lines: more than {LINES} are not read"
        raise PodError(Reason.ENVIRONMENT_MISMATCH, f"{problem}; list what the model needs itself")
    begun, first = "", 1
    for number, line in enumerate(physical, 1):
        first = first if begun else number
        begun += line
        if begun.endswith("\\") and number < len(physical):
            begun = begun[:-1]
            continue
        if text := _COMMENT.sub("", begun).strip():
            yield f"{file} line {first}", text
        begun = ""


def bad(where: str, text: str, problem: str) -> PodError:
    """The error for one line; what a person wrote into an address stays out of it."""
    shown = _USER.sub("//***@", text)[:200]
    return PodError(Reason.ENVIRONMENT_MISMATCH, f"{where}, {shown!r}, {problem}")


def _line(where: str, text: str) -> RequirementLine | None:
    if problem := _problem(text):
        raise bad(where, text, problem)
    if text.endswith(".whl") and " @ " not in text:
        return RequirementLine(text, "", _path(where, text))
    try:
        requirement = Requirement(text)
        _check_written(str(requirement))
    except (ValueError, RecursionError) as error:
        what = str(error).splitlines()[0]
        raise bad(where, text, f"is no requirement: {what}; write name==version") from error
    if requirement.url:
        raise bad(where, text, f"names an address: {_FROM_INDEX}")
    name = canonicalize_name(requirement.name)
    if name == OWN:
        return None
    if name == "mlflow":  # a tenth of the size, and all of it that loads and asks a model
        requirement.name, requirement.extras = "mlflow-skinny", set()
    return RequirementLine(text, canonicalize_name(requirement.name), str(requirement))


def _check_written(requirement: str) -> None:
    """A marker's text may hold an escaped line break, and uv would read another line. Raises
    ValueError."""
    if len(requirement.splitlines()) > 1:
        raise ValueError("its marker holds a line break")


def _problem(text: str) -> str:
    """What keeps a line from being read, and what to write; empty when nothing does."""
    if text.startswith("-"):
        return (
            "is an option, and only `-c FILE` is understood: list the packages themselves, without"
            " --hash; where they come from is the ModelRegistry's environments"
        )
    if " --hash" in text:
        return "has --hash, which is not understood: leave it out, each revision pins hashes"
    if _SOURCES.search(text):
        return f"is no wheel: nothing is built in a pod; {_FROM_INDEX}"
    if "://" in text:
        return f"names an address: {_FROM_INDEX}"
    return ""


def _path(where: str, text: str) -> str:
    """The path of a wheel in the bundle, without a way out of it."""
    path = PurePosixPath(text.removeprefix("file:"))
    if path.is_absolute() or ".." in path.parts:
        raise bad(where, text, "is a file outside the bundle: log the wheel with the model")
    return str(path)


_FROM_INDEX = "write name==version of a wheel on the index, or log a wheel with the model"
_CONSTRAINTS = re.compile(r"(?:-c|--constraint)(?:\s+|=)(\S+)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_SOURCES = re.compile(
    r"^(?:git|hg|svn|bzr)\+|@\s*(?:git|hg|svn|bzr)\+|\.(?:tar\.\w+|tgz|zip|sdist)$"
)
_USER = re.compile(r"//[^/@\s]+@")
