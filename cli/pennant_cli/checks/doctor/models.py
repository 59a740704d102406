"""What is registered: whether Pennant takes its names, and whether aliases or stages say what is in
production."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pennant_cli.checks.findings import Finding, Verdict
from pennant_registry import client as mlflow_client
from pennant_registry.errors import RegistryError
from pennant_registry.names import STAGES, model_name_problem

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel

PAGE, PAGES = 1000, 5
"""Models of one answer, and answers that are asked for: of more, the first are looked at."""
NAME_LIMIT = 250  # characters, as in the CRD
SHOWN = 5  # names in a sentence


def registered(client: MlflowClient) -> list[RegisteredModel]:
    """The models that the account may read. Raises RegistryError."""
    models: list[RegisteredModel] = []
    token = None
    for _ in range(PAGES):
        with mlflow_client.asking(client):
            page = client.search_registered_models(max_results=PAGE, page_token=token)
        models += page
        token = page.token
        if not token:
            break
    return models


def named(client: MlflowClient, name: str) -> Finding | RegisteredModel:
    """The model that is asked about; a problem where there is none, or it may not be read."""
    if problem := model_name_problem(name):
        return Finding("model", Verdict.PROBLEM, problem)
    try:
        with mlflow_client.asking(client):
            return client.get_registered_model(name)
    except RegistryError as error:
        if error.code == mlflow_client.NOT_FOUND:
            remedy = "register a version of it: pennant register"
            return Finding("model", Verdict.PROBLEM, f"there is no model {name}", remedy)
        remedy = "have its administrator let this account read it"
        return Finding("model", Verdict.PROBLEM, str(error), remedy)


def about(models: Sequence[RegisteredModel]) -> Iterator[Finding]:
    """Of all that were read."""
    if not models:
        message = "no registered model is there, or this account may read none"
        yield Finding("models", Verdict.UNKNOWN, message, "register one: pennant register")
        return
    count = f"{len(models)} or more" if len(models) >= PAGE * PAGES else f"{len(models)}"
    yield Finding("models", Verdict.OK, f"this account may read {count}")
    refused = [f"{model.name!r}" for model in models if _is_refused(model.name)]
    if refused:
        message = f"Pennant takes no model of these names: {_listed(refused)}"
        yield Finding("names", Verdict.PROBLEM, message, "rename them in MLflow")
    yield _pointers(models)


def _is_refused(name: str) -> bool:
    return model_name_problem(name) is not None or len(name) > NAME_LIMIT


def _pointers(models: Sequence[RegisteredModel]) -> Finding:
    aliases = Counter(alias for model in models for alias in model.aliases)
    staged = {m.name for m in models for v in m.latest_versions if v.current_stage in STAGES}
    if odd := sorted(alias for alias in aliases if not alias.isascii()):
        message = f"spec.model.alias takes letters from a to z, and not {_listed(odd)}"
        return Finding("aliases", Verdict.WARNING, message, "set another alias beside it")
    if aliases:
        listed = [f"{alias} ({count})" for alias, count in aliases.most_common()]
        return Finding("aliases", Verdict.OK, f"models by alias: {_listed(listed)}")
    if staged:
        message = f"no alias is set, and {_listed(sorted(staged))} are in stages"
        remedy = "follow them by --stage and spec.model.stage, or set aliases"
        return Finding("aliases", Verdict.WARNING, message, remedy)
    remedy = "pennant promote MODEL/VERSION --alias production"
    return Finding("aliases", Verdict.OK, "none is set yet", remedy)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
