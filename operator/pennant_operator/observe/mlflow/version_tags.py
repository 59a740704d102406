"""Reads and writes the tags of versions that say what becomes of them here (`spec.writeBack`).

By an account of its own, where one is named: to write takes a right that no reading needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from pennant_operator.decide.registry.notes import TaggedVersion, TagWrite, UnwrittenError
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.observe.mlflow.answers import RegisteredVersion
from pennant_operator.observe.mlflow.api import NO_SUCH, Registry
from pennant_operator.observe.mlflow.connection import Count, ReadSecret, connect, read_credentials
from pennant_operator.observe.mlflow.http import MlflowHttp, Refusal
from pennant_operator.observe.mlflow.trouble import NotAllowedError, RegistryTroubleError
from pennant_registry.places import place_of_tag


class VersionTags:
    """Of one registry, over one connection, made when it is first needed; close it after use.

    Every method raises UnwrittenError.
    """

    def __init__(self, spec: RegistrySpec, read_secret: ReadSecret, count: Count) -> None:
        """By the account that may write, as its Secret is then."""
        if spec.write_back is not None and spec.write_back.secret is not None:
            spec = replace(spec, credentials_secret=spec.write_back.secret)
        self._spec, self._read_secret, self._count = spec, read_secret, count
        self._http: MlflowHttp | None = None

    async def close(self) -> None:
        """End its connection, if there is one."""
        if self._http is not None:
            await self._http.close()

    async def of_model(self, model: str) -> dict[str, TaggedVersion]:
        """Every version of a model, by its number; of a name that no search knows none."""
        with _explained(model):
            versions = await Registry(await self._connected()).versions(model)
        return {number: _tagged(each) for number, each in versions.items()}

    async def of_version(self, model: str, version: str) -> TaggedVersion | None:
        """One version; None when MLflow says that there is no such version."""
        with _explained(model):
            entry = await Registry(await self._connected()).version(model, version)
        return None if entry is None else _tagged(entry)

    async def write(self, write: TagWrite) -> bool:
        """Set a tag, or take it away; False when MLflow says that there is no such version."""
        with _explained(write.model):
            answer = await self._send(write)
        if not isinstance(answer, Refusal):
            return True
        if answer.code == NO_SUCH:
            return False
        why = f"{answer.status} {answer.code}: {answer.message[:200]}"
        raise UnwrittenError(f"model {write.model}: MLflow refuses a tag ({why}).", alone=True)

    async def _send(self, write: TagWrite) -> dict[str, Any] | Refusal:
        """Who may edit a model may not delete a tag of it, but may empty it: that is as good."""
        http = await self._connected()
        tag = {"name": write.model, "version": write.version, "key": write.key}
        if write.value is None:
            with suppress(NotAllowedError):
                return await http.send("DELETE", "model-versions/delete-tag", tag)
        return await http.send("POST", "model-versions/set-tag", tag | {"value": write.value or ""})

    async def _connected(self) -> MlflowHttp:
        if self._http is None:
            secret = await read_credentials(self._spec, self._read_secret)
            self._http = connect(self._spec, secret, self._count)
        return self._http


def _tagged(entry: RegisteredVersion) -> TaggedVersion:
    """With the tags that are about places, and not emptied."""
    tags = {key: value for key, value in entry.tags.items() if value and place_of_tag(key)}
    return TaggedVersion(entry.created, tags)


@contextmanager
def _explained(model: str) -> Iterator[None]:
    try:
        yield
    except NotAllowedError as error:
        raise UnwrittenError(
            f"model {model}: MLflow does not let this account write its version tags (403): give "
            "it EDIT on the model, or name another one in spec.writeBack.credentialsSecret.",
            alone=True,
        ) from error
    except RegistryTroubleError as error:
        raise UnwrittenError(str(error)) from error
