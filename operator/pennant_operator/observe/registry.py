"""What the operator asks of an MLflow model registry, by REST: no mlflow in this process.

Each call is one question with a typed answer. Absence is concluded from MLflow's own error code
only; everything else raises RegistryTroubleError (mlflow_http.py).
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from pennant_operator.decide.observed import ModelVersion
from pennant_operator.observe.answers import Found, Registered, registered, understood, version
from pennant_operator.observe.filters import filters, named
from pennant_operator.observe.mlflow_http import MlflowHttp, Refusal
from pennant_operator.observe.trouble import RegistryTroubleError
from pennant_registry.names import TAG_SHA256

PAGE = 1000  # the most that MLflow gives
Page: TypeAlias = list[dict[str, Any]]
NO_SUCH = "RESOURCE_DOES_NOT_EXIST"


class Registry:
    """One MLflow server."""

    def __init__(self, http: MlflowHttp) -> None:
        self._http = http

    async def server_version(self) -> str:
        """What the server calls itself; empty when it does not say."""
        status, text = await self._http.text("/version", {})
        return text.strip() if status == 200 and re.fullmatch(r"[\w.+-]{1,40}\s*", text) else ""

    async def model(self, name: str) -> Registered | None:
        """A registered model; None when MLflow says that there is none of this name.

        The only question whose answer tells a missing model from an alias that is not set:
        MLflow 2 calls both "alias not found".
        """
        answer = await self._known("registered-models/get", {"name": name})
        with understood():
            return None if answer is None else registered(answer["registered_model"])

    async def version(self, model: str, number: str) -> Found | None:
        """One version; None when MLflow says that there is no such version."""
        answer = await self._known("model-versions/get", {"name": model, "version": number})
        with understood():
            return None if answer is None else version(answer["model_version"])

    async def in_stage(self, model: str, stage: str) -> list[Found]:
        """The versions of a model that are in a stage, highest first; the name is `quotable`."""
        with understood():
            found = [
                version(each)
                async for page in self._pages("model-versions/search", named(model))
                for each in page
                if each["current_stage"] == stage
            ]
        return sorted(found, key=lambda each: int(each["version"]), reverse=True)

    async def ping(self) -> None:
        """Raises RegistryTroubleError unless the registry answers these credentials."""
        await self._asked("registered-models/search", {"max_results": "1"})

    async def search(self, models: Sequence[str]) -> dict[str, Registered]:
        """The registered models of these names."""
        found: dict[str, Registered] = {}
        for chosen in filters(models):
            async for page in self._pages("registered-models/search", chosen):
                found |= _by_name(page)
        return found

    async def walk(self, most: int) -> dict[str, Registered]:
        """All registered models; if there are more than this, a part that is more, too."""
        found: dict[str, Registered] = {}
        async with aclosing(self._pages("registered-models/search", {})) as pages:
            async for page in pages:
                found |= _by_name(page)
                if len(found) > most:
                    break
        return found

    async def _pages(self, path: str, chosen: dict[str, str]) -> AsyncGenerator[Page, None]:
        """The registered models, or model versions, of a search."""
        token, items = "", path.split("/", maxsplit=1)[0].replace("-", "_")
        while True:
            query = {"max_results": str(PAGE), **chosen}
            answer = await self._asked(path, query | ({"page_token": token} if token else {}))
            yield answer.get(items, [])
            before, token = token, answer.get("next_page_token", "")
            if not token:
                return
            if token == before:
                raise RegistryTroubleError("MLflow's search does not get past one page.")

    async def resolve(self, found: Found) -> ModelVersion:
        """The version with the address that its bytes are at, whatever moves later."""
        with understood():
            return await self._resolve(found)

    async def _resolve(self, found: Found) -> ModelVersion:
        name, version = found["name"], str(found["version"])
        answer = await self._asked(
            "model-versions/get-download-uri", {"name": name, "version": version}
        )
        source = str(answer.get("artifact_uri") or found.get("source", ""))
        if source.startswith("runs:/"):
            source = await self._of_run(source)
        elif source.startswith("models:/m-"):
            source = await self._of_logged_model(source.removeprefix("models:/"))
        tags = {tag["key"]: tag.get("value", "") for tag in found.get("tags", ())}
        created = int(found["creation_timestamp"])
        return ModelVersion(name, version, created, source, tags.get(TAG_SHA256) or None)

    async def _of_run(self, source: str) -> str:
        run_id, _, path = source.removeprefix("runs:/").partition("/")
        run = (await self._asked("runs/get", {"run_id": run_id}))["run"]
        # MLflow 3 keeps a logged model beside its run, although the address says it is in it.
        for output in run.get("outputs", {}).get("model_outputs", ()):
            model = await self._logged_model(output["model_id"])
            if model["name"] == path:
                return str(model["artifact_uri"])
        return f"{run['info']['artifact_uri'].rstrip('/')}/{path}"

    async def _of_logged_model(self, source: str) -> str:
        model_id, _, path = source.partition("/")
        root = str((await self._logged_model(model_id))["artifact_uri"])
        return f"{root.rstrip('/')}/{path}" if path else root

    async def _logged_model(self, model_id: str) -> dict[str, Any]:
        answer = await self._asked(f"logged-models/{model_id}", {})
        info: dict[str, Any] = answer["model"]["info"]
        return info

    async def _known(self, path: str, query: dict[str, str]) -> dict[str, Any] | None:
        """The answer; None when MLflow says that there is nothing of this name."""
        answer = await self._http.get(path, query)
        if isinstance(answer, Refusal) and answer.code == NO_SUCH:
            return None
        if isinstance(answer, Refusal):
            raise _puzzled(answer)
        return answer

    async def _asked(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = await self._http.get(path, query)
        if isinstance(answer, Refusal):
            raise _puzzled(answer)
        return answer


def _by_name(page: Page) -> dict[str, Registered]:
    with understood():
        return {model["name"]: registered(model) for model in page}


def _puzzled(refusal: Refusal) -> RegistryTroubleError:
    return RegistryTroubleError(
        f"MLflow refuses what the operator asks ({refusal.status} {refusal.code}: "
        f"{refusal.message[:200]}): see that it is MLflow 2.3 or newer, with a registry."
    )
