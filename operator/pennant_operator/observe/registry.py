"""What the operator asks of an MLflow model registry, by REST: no mlflow in this process.

Each call is one question with a typed answer. Absence is concluded from MLflow's own error code
only; everything else raises RegistryTroubleError (mlflow_http.py).
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from pennant_operator.decide.observed import Absent, ModelVersion
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.absence import absence
from pennant_operator.observe.filters import filters
from pennant_operator.observe.mlflow_http import MlflowHttp, Refusal, RegistryTroubleError
from pennant_registry.names import TAG_SHA256

PAGE = 1000  # the most that MLflow gives

Found: TypeAlias = dict[str, Any]  # MLflow's model_version object


@dataclass(frozen=True)
class Listed:
    """A registered model in a search: where its aliases point."""

    created: int
    aliases: dict[str, str]


class Registry:
    """One MLflow server."""

    def __init__(self, http: MlflowHttp) -> None:
        self._http = http

    async def server_version(self) -> str:
        """What the server calls itself; empty when it does not say."""
        status, text = await self._http.text("/version", {})
        return text.strip() if status == 200 and re.fullmatch(r"[\w.+-]{1,40}\s*", text) else ""

    async def find(self, watch: Watch) -> Found | Absent:
        """The version that an alias points at, or a pinned one: one request."""
        if watch.alias is not None:
            query = {"name": watch.model, "alias": watch.alias}
            answer = await self._http.get("registered-models/alias", query)
        else:
            query = {"name": watch.model, "version": str(watch.version)}
            answer = await self._http.get("model-versions/get", query)
        if not isinstance(answer, Refusal):
            return _version_in(answer)
        nothing = absence(watch, answer.code, answer.message)
        if nothing is None:
            raise _puzzled(answer)
        return nothing

    async def ping(self) -> None:
        """Raises RegistryTroubleError unless the registry answers these credentials."""
        await self._asked("registered-models/search", {"max_results": "1"})

    async def search(self, models: Sequence[str] | None) -> dict[str, Listed]:
        """The registered models of these names (None: all there are) with their aliases."""
        found: dict[str, Listed] = {}
        for chosen in filters(models):
            async for model in self._walk(chosen):
                with _understood():
                    aliases = {a["alias"]: str(a["version"]) for a in model.get("aliases", ())}
                    found[model["name"]] = Listed(int(model["creation_timestamp"]), aliases)
        return found

    async def _walk(self, chosen: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        token = ""
        while True:
            query = {"max_results": str(PAGE), **chosen}
            answer = await self._asked(
                "registered-models/search", query | ({"page_token": token} if token else {})
            )
            for model in answer.get("registered_models", ()):
                yield model
            before, token = token, answer.get("next_page_token", "")
            if not token:
                return
            if token == before:
                raise RegistryTroubleError("MLflow's search does not get past one page.")

    async def resolve(self, found: Found) -> ModelVersion:
        """The version with the address that its bytes are at, whatever moves later."""
        with _understood():
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

    async def _asked(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = await self._http.get(path, query)
        if isinstance(answer, Refusal):
            raise _puzzled(answer)
        return answer


@contextmanager
def _understood() -> Iterator[None]:
    """JSON of another shape than MLflow's is no answer; it must not end the operator either."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RegistryTroubleError(
            f"MLflow's answer is not what the operator knows ({error!r}): see that spec.url is "
            "MLflow's own address, and which version it is."
        ) from error


def _version_in(answer: dict[str, Any]) -> Found:
    with _understood():
        found: Found = answer["model_version"]
        int(found["creation_timestamp"]), found["name"], found["version"]
        return found


def _puzzled(refusal: Refusal) -> RegistryTroubleError:
    return RegistryTroubleError(
        f"MLflow refuses what the operator asks ({refusal.status} {refusal.code}: "
        f"{refusal.message[:200]}): see that it is MLflow 2.3 or newer, with a registry."
    )
