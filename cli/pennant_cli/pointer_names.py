"""How what says which version is in production is named: MODEL@ALIAS, or MODEL and --stage."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated, TypedDict

import typer
from typer import BadParameter

from pennant_registry.names import alias_problem, model_name_problem, stage_problem

PointerArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL@ALIAS", help="Such as news@production; with --stage the model's name alone."
    ),
]
AliasOption = Annotated[
    str | None, typer.Option("--alias", metavar="ALIAS", help="Such as production.")
]
StageOption = Annotated[
    str | None,
    typer.Option("--stage", metavar="STAGE", help="Of MLflow 2, in place of an alias."),
]


class Named(TypedDict):
    """As the library's functions take it."""

    alias: str | None
    stage: str | None


@dataclass(frozen=True, slots=True)
class PointerName:
    """An alias or a stage of a registered model."""

    model: str
    alias: str | None = None
    stage: str | None = None

    def __str__(self) -> str:
        which = f"stage {self.stage}" if self.alias is None else f"alias {self.alias}"
        return f"{which} of {self.model}"

    @property
    def written(self) -> str:
        """As a command takes it, in a shell."""
        if self.alias is None:
            return f"{shlex.quote(self.model)} --stage {self.stage}"
        return shlex.quote(f"{self.model}@{self.alias}")

    @property
    def named(self) -> Named:
        """For the library."""
        return {"alias": self.alias, "stage": self.stage}


def pointer_name(text: str, stage: str | None) -> PointerName:
    """What an argument names, with the option `--stage` beside it. Raises BadParameter."""
    if stage is not None:
        return pointer_of(text, None, stage)
    model, at, alias = text.rpartition("@")  # no alias holds an @
    if not at:
        raise BadParameter(
            f"{text!r} names no alias: write MODEL@ALIAS, such as news@production, or --stage"
        )
    return pointer_of(model, alias, None)


def pointer_of(model: str, alias: str | None, stage: str | None) -> PointerName:
    """By the options `--alias` and `--stage`, of which one is given. Raises BadParameter."""
    if (alias is None) == (stage is None):
        raise BadParameter("give either --alias or --stage, such as --alias production")
    wrong = stage_problem(stage) if stage is not None else alias_problem(str(alias))
    if problem := model_name_problem(model) or wrong:
        raise BadParameter(problem)
    return PointerName(model, alias, stage)
