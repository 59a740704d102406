"""What is to be served: MODEL@ALIAS, or MODEL/VERSION."""

from __future__ import annotations

from dataclasses import dataclass

from typer import BadParameter

from pennant_cli.version_names import version_name
from pennant_registry.names import alias_problem, model_name_problem


@dataclass(frozen=True, slots=True)
class Target:
    """A model, and either an alias of it or one version."""

    model: str
    alias: str | None = None
    version: int | None = None

    def __str__(self) -> str:
        return (
            f"{self.model}/{self.version}" if self.alias is None else f"{self.model}@{self.alias}"
        )


def target(text: str) -> Target:
    """What an argument names. Raises BadParameter."""
    model, at, alias = text.rpartition("@")  # no alias holds one, and a model's name may
    if "/" in text:
        name = version_name(text)
        return Target(name.model, version=name.version)
    if not at:
        raise BadParameter(
            f"{text!r} names nothing to serve: write MODEL@ALIAS, such as news@production, or "
            "MODEL/VERSION, such as news/8"
        )
    if problem := model_name_problem(model) or alias_problem(alias):
        raise BadParameter(problem)
    return Target(model, alias=alias)
