"""How a version is named on the command line: MODEL/VERSION."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer import BadParameter

from pennant_registry.names import model_name_problem, version_problem


@dataclass(frozen=True, slots=True)
class VersionName:
    """One version of a registered model."""

    model: str
    version: int

    def __str__(self) -> str:
        return f"{self.model}/{self.version}"


def version_name(text: str) -> VersionName:
    """What an argument names. Raises BadParameter."""
    model, slash, number = text.rpartition("/")  # no model's name holds a slash
    if not slash:
        raise BadParameter(f"{text!r} names no version: write MODEL/VERSION, such as news/8")
    if problem := model_name_problem(model) or version_problem(number):
        raise BadParameter(problem)
    return VersionName(model, int(number))


VersionArgument = Annotated[
    VersionName,
    typer.Argument(parser=version_name, metavar="MODEL/VERSION", help="Such as news/8."),
]
