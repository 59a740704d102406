"""What the operator asks of an MLflow model registry, by REST: no mlflow in this process.

Each call is one question with a typed answer. Absence is concluded from MLflow's own error code
only; everything else raises RegistryTroubleError (http.py).
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeAlias
from urllib.parse import quote

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.observe.mlflow.answers import (
    RegisteredModel,
    RegisteredVersion,
    listed,
    metrics,
    models,
    next_page,
    registered,
    understood,
    version,
)
from pennant_operator.observe.mlflow.filters import filters, named, quotable
from pennant_operator.observe.mlflow.http import MlflowHttp, Refusal
from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NoFileError,
    RegistryTroubleError,
)

SEARCH_PAGE_LIMIT = 1000  # models or versions of one page: the most that MLflow gives
SEARCH_PAGES_LIMIT = 100  # pages of one search; a walk that pays is shorter
Page: TypeAlias = list[dict[str, Any]]
NO_MODELS_NAME = "/"  # MLflow refuses it
NO_SUCH = "RESOURCE_DOES_NOT_EXIST"


class Registry:
    """One MLflow server."""

    def __init__(self, http: MlflowHttp) -> None:
        self._http = http

    async def server_version(self) -> str:
        """What the server calls itself; empty when it does not say."""
        status, text = await self._http.text("/version", {})
        return text.strip() if status == 200 and re.fullmatch(r"[\w.+-]{1,40}\s*", text) else ""

    async def model(self, name: str) -> RegisteredModel | None:
        """A registered model; None when MLflow says that there is none of this name.

        The only question whose answer tells a missing model from an alias that is not set:
        MLflow 2 calls both "alias not found".
        """
        answer = await self._known("registered-models/get", {"name": name})
        with understood():
            return None if answer is None else registered(answer["registered_model"])

    async def version(self, model: str, number: str) -> RegisteredVersion | None:
        """One version; None when MLflow says that there is no such version."""
        answer = await self._known("model-versions/get", {"name": model, "version": number})
        with understood():
            return None if answer is None else version(answer["model_version"])

    async def metrics_of_run(self, run_id: str) -> dict[str, float]:
        """The last values that a run logged, by name."""
        answer = await self._asked("runs/get", {"run_id": run_id})
        with understood():
            return metrics(answer["run"].get("data", {}).get("metrics", ()))

    async def metrics_of_model(self, model_id: str) -> dict[str, float]:
        """The values that were logged for a logged model (MLflow 3), by name."""
        answer = await self._asked(f"logged-models/{quote(model_id, safe='')}", {})
        with understood():
            return metrics(answer["model"].get("data", {}).get("metrics", ()))

    async def file(self, path: str, limit: int) -> str:
        """A file that the server hands out, by its path below mlflow-artifacts:/, as text."""
        status, text = await self._http.artifact(path, limit)
        if status != 200:
            raise NoFileError(f"MLflow answers {status}")
        return text

    async def in_stage(self, model: str, stage: str) -> list[RegisteredVersion]:
        """The versions of a model that are in a stage, highest first; the name is `quotable`."""
        with understood():
            versions = [
                version(each)
                async for page in self._pages("model-versions/search", named(model))
                for each in page
                if each["current_stage"] == stage
            ]
        return sorted(versions, key=lambda each: int(each.version), reverse=True)

    async def versions(self, model: str) -> dict[str, RegisteredVersion]:
        """The versions of a model by number; none of one whose name is not `quotable`.

        What is none is left out, as if it were not there.
        """
        by_number: dict[str, RegisteredVersion] = {}
        if not quotable(model):
            return by_number
        async for page in self._pages("model-versions/search", named(model)):
            for each in page:
                with suppress(RegistryTroubleError), understood():
                    by_number[str(each["version"])] = version(each)
        return by_number

    async def ping(self) -> None:
        """Raises RegistryTroubleError unless the registry answers these credentials.

        About no model: any one may be too much for an answer.
        """
        query = {"max_results": "1", **named(NO_MODELS_NAME)}
        answer = await self._asked("registered-models/search", query)
        listed(answer, "registered_models"), next_page(answer)

    async def search(self, names: Sequence[str]) -> dict[str, RegisteredModel]:
        """The registered models of these names."""
        by_name: dict[str, RegisteredModel] = {}
        for chosen in filters(names):
            async for page in self._pages("registered-models/search", chosen):
                by_name |= models(page)
        return by_name

    async def walk(self, limit: int) -> dict[str, RegisteredModel]:
        """All registered models; if there are more than this, a part that is more, too."""
        by_name: dict[str, RegisteredModel] = {}
        async with aclosing(self._pages("registered-models/search", {})) as pages:
            async for page in pages:
                by_name |= models(page)
                if len(by_name) > limit:
                    break
        return by_name

    async def _pages(self, path: str, chosen: dict[str, str]) -> AsyncGenerator[Page, None]:
        """The registered models, or model versions, of a search."""
        token, items = "", path.split("/", maxsplit=1)[0].replace("-", "_")
        tokens = set[str]()
        while len(tokens) < SEARCH_PAGES_LIMIT:
            query = {"max_results": str(SEARCH_PAGE_LIMIT), **chosen}
            answer = await self._asked(path, query | ({"page_token": token} if token else {}))
            yield listed(answer, items)
            tokens.add(token)
            token = next_page(answer)
            if not token:
                return
            if token in tokens:
                break
        raise RegistryTroubleError(f"MLflow's search comes to no end (page {len(tokens) + 1}).")

    async def resolve(self, entry: RegisteredVersion) -> ModelVersion:
        """The version with the address that its bytes are at, whatever moves later."""
        with understood():
            source = await self._source(entry)
        return ModelVersion(
            entry.name,
            entry.version,
            entry.created,
            source,
            entry.sha256,
            image=entry.image,
            environment=entry.environment,
        )

    async def _source(self, entry: RegisteredVersion) -> str:
        query = {"name": entry.name, "version": entry.version}
        answer = await self._asked("model-versions/get-download-uri", query)
        source = str(answer.get("artifact_uri") or entry.source)
        if source.startswith("runs:/"):
            return await self._of_run(source)
        if source.startswith("models:/m-"):
            return await self._of_logged_model(source.removeprefix("models:/"))
        return source

    async def _of_run(self, source: str) -> str:
        run_id, _, path = source.removeprefix("runs:/").partition("/")
        run = (await self._asked("runs/get", {"run_id": run_id}))["run"]
        # MLflow 3 keeps a logged model beside its run, although the address says it is in it.
        if run.get("outputs", {}).get("model_outputs"):
            beside = await self._logged_by(run_id, path, run["info"]["experiment_id"])
            if beside is not None:
                return beside
        return f"{run['info']['artifact_uri'].rstrip('/')}/{path}"

    async def _logged_by(self, run_id: str, name: str, experiment: str) -> str | None:
        """Where a run's logged model of this name is, as MLflow's own client finds it.

        Not by asking for each: a run may have hundreds, and some may be deleted.
        """
        if not (quotable(name) and quotable(run_id)):
            return None  # a logged model cannot be called so
        wanted = " AND ".join((f"name='{name}'", f"source_run_id='{run_id}'"))
        body = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1}
        answer = _agreed(await self._http.send("POST", "logged-models/search", body))
        for model in answer.get("models", ()):
            if (model["info"]["name"], model["info"]["source_run_id"]) == (name, run_id):
                return str(model["info"]["artifact_uri"])
        return None

    async def _of_logged_model(self, source: str) -> str:
        model_id, _, path = source.partition("/")
        answer = await self._asked(f"logged-models/{model_id}", {})
        root = str(answer["model"]["info"]["artifact_uri"])
        return f"{root.rstrip('/')}/{path}" if path else root

    async def _known(self, path: str, query: dict[str, str]) -> dict[str, Any] | None:
        """The answer; None when MLflow says that there is nothing of this name."""
        answer = await self._http.get(path, query)
        if isinstance(answer, Refusal) and answer.code == NO_SUCH:
            return None
        return _agreed(answer)

    async def _asked(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        return _agreed(await self._http.get(path, query))


def _agreed(answer: dict[str, Any] | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        raise MlflowRefusedError(f"{answer.status} {answer.code}: {answer.message[:200]}")
    return answer
