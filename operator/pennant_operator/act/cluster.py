"""The one gate for API writes: fenced, paced and counted.

Server-side apply, so that a field nobody asked us for stays whose it is. A write that must not
overtake a change carries the resourceVersion it was decided on and ends as Conflict if it would.
Whoever holds the Lease may write, and only so long that each request is over before anybody else
may: one that comes too late is refused here, and never waits for better times.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pennant_operator.decide.intent import Adopt, AnnotatePod, Apply, Delete
from pennant_operator.decide.vocabulary import (
    ANNOTATION_TRAFFIC,
    FIELD_MANAGER,
    LABEL_DEPLOYMENT,
    STATUS_FIELD_MANAGER,
)
from pennant_operator.kinds import KINDS
from pennant_operator.kube import APPLY, REQUEST_SECONDS, YAML, Api, ApiError, Object
from pennant_operator.token_bucket import TokenBucket

MERGE_PATCH = "application/merge-patch+json"


class ConflictError(ApiError):
    """The object is not what was decided on: look again, then decide again."""


class NameTakenError(ConflictError):
    """Somebody else's object has the name of one that is to be created."""


class WriteRefusedError(ApiError):
    """The API server will not take this whenever it is sent: schema, rights, quota or policy."""


class FencedError(ApiError):
    """This process may not write: it is not the holder of the Lease, or not for much longer."""


REFUSAL_STATUSES = (400, 403, 413, 422)
# With server-side apply a field that the schema does not know is answered as a fault, with 500.
NOT_IN_SCHEMA = "failed to create typed patch object"


class Cluster:
    """Writes to the API server.

    `fence` gives the seconds that a write begun now may take, 0 when none may begin; `count` is
    told verb, kind and status code of every request (0: no answer).
    """

    def __init__(
        self,
        api: Api,
        *,
        limiter: TokenBucket,
        fence: Callable[[], float],
        count: Callable[[str, str, int], None],
    ) -> None:
        self._api = api
        self._limiter = limiter
        self._fence = fence
        self._count = count
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def apply(self, apply: Apply) -> Object:
        """Server-side apply of one child; raises ConflictError, ApiError."""
        manifest, expected = apply.manifest, _expected(apply)
        meta, kind = manifest["metadata"], manifest["kind"]
        query = {"fieldManager": FIELD_MANAGER, "force": str(apply.uid is not None).lower()}
        path = KINDS[kind].path(meta["namespace"], meta["name"])
        body = manifest | {"metadata": meta | expected}
        return await self._write("PATCH", kind, path, query, body, APPLY)

    async def adopt(self, adopt: Adopt, namespace: str) -> Object:
        """Write the references of an orphan as it was seen; raises ConflictError, ApiError."""
        path = KINDS[adopt.kind].path(namespace, adopt.name)
        meta = {
            "resourceVersion": adopt.resource_version,
            "ownerReferences": list(adopt.references),
        }
        query = {"fieldManager": FIELD_MANAGER}
        return await self._write("PATCH", adopt.kind, path, query, {"metadata": meta}, MERGE_PATCH)

    async def annotate_pod(self, write: AnnotatePod, namespace: str) -> None:
        """Tell this very pod; one that is gone by now is told nothing. Raises ApiError."""
        path = KINDS["Pod"].path(namespace, write.name)
        annotations = {ANNOTATION_TRAFFIC: write.shares or None}
        body = {"metadata": {"uid": write.uid, "annotations": annotations}}
        query = {"fieldManager": FIELD_MANAGER}
        try:
            await self._write("PATCH", "Pod", path, query, body, MERGE_PATCH)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise

    async def create(self, manifest: Object) -> Object | None:
        """Create an object; the one there is where the name is taken, None if it just went.

        Raises ConflictError where it is not this owner's but may become so, such as a deleted
        namesake's; NameTakenError where it bears none of our labels.
        """
        kind, meta = manifest["kind"], manifest["metadata"]
        path = KINDS[kind].path(meta["namespace"])
        try:
            query = {"fieldManager": FIELD_MANAGER}
            return await self._write("POST", kind, path, query, manifest, YAML)
        except ConflictError:
            existing = await self._api.get(kind, meta["namespace"], meta["name"])
            if existing is None or _controller(existing) == _controller(manifest):
                return existing
            if _deployment(existing) == _deployment(manifest):
                raise
            taken = f"{kind}/{meta['name']}"
            raise NameTakenError(409, "AlreadyExists", taken) from None

    async def create_unread(self, manifest: Object) -> None:
        """Create an object that may not be read, unless it is there. Raises ApiError."""
        path = KINDS[manifest["kind"]].path(manifest["metadata"]["namespace"])
        with contextlib.suppress(ConflictError):
            query = {"fieldManager": FIELD_MANAGER}
            await self._write("POST", manifest["kind"], path, query, manifest, YAML)

    async def delete(self, delete: Delete, namespace: str) -> Object | None:
        """Delete exactly this object as it was seen; it may stay a while for its finalizers.

        Returns it if it stays, None if it is gone. Raises ConflictError, ApiError.
        """
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": delete.uid, "resourceVersion": delete.resource_version},
        }
        path = KINDS[delete.kind].path(namespace, delete.name)
        try:
            answer = await self._write("DELETE", delete.kind, path, {}, body)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return answer if answer.get("kind") == delete.kind else None

    async def apply_status(self, live: Object, status: dict[str, Any]) -> Object | None:
        """Write a status if it differs from the live one; None when it does not.

        Raises ConflictError when the object was replaced by another of its name.
        """
        status = {name: value for name, value in status.items() if value is not None}
        if live.get("status") == status:
            return None
        meta, kind = live["metadata"], live["kind"]
        body = {
            "apiVersion": live["apiVersion"],
            "kind": kind,
            "metadata": {name: meta[name] for name in ("name", "namespace", "uid")},
            "status": status,
        }
        query = {"fieldManager": STATUS_FIELD_MANAGER, "force": "true"}
        path = KINDS[kind].path(meta["namespace"], meta["name"], "status")
        return await self._write("PATCH", kind, path, query, body, APPLY)

    async def post_event(self, event: Object) -> None:
        """Create an Event; raises ApiError."""
        path = KINDS["Event"].path(event["metadata"]["namespace"])
        await self._write("POST", "Event", path, {}, event)

    async def quiet(self) -> None:
        """Return once no write is under way; each ends by itself."""
        await self._quiet.wait()

    async def _write(
        self,
        method: str,
        kind: str,
        path: str,
        query: dict[str, str],
        body: Object,
        content_type: str = "application/json",
    ) -> Object:
        await self._limiter.wait()
        # After the wait: what was true before it may not be now.
        seconds = min(self._fence(), REQUEST_SECONDS)
        if seconds <= 0:
            raise FencedError(0, "Fenced", f"{method} {path}: another replica may lead by now")
        # The API server gives up when we do: what waits in it must not be done later.
        query = query | {"timeout": f"{seconds:.3f}s"}
        try:
            with self._count_under_way():
                answer = await self._api.request(method, path, query, body, content_type, seconds)
        except ApiError as error:
            self._count(method, kind, error.status)
            if error.status == 409:
                raise ConflictError(409, error.reason, f"{kind} at {path}: {error}") from error
            if error.status in REFUSAL_STATUSES or error.message.startswith(NOT_IN_SCHEMA):
                raise WriteRefusedError(error.status, error.reason, error.message) from error
            raise
        self._count(method, kind, 200)
        return answer

    @contextlib.contextmanager
    def _count_under_way(self) -> Iterator[None]:
        self._under_way += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()


def _controller(obj: Object) -> str | None:
    references = obj["metadata"].get("ownerReferences", ())
    return next((str(r["uid"]) for r in references if r.get("controller")), None)


def _deployment(obj: Object) -> str | None:
    labels: dict[str, str] = obj["metadata"].get("labels", {})
    return labels.get(LABEL_DEPLOYMENT)


def _expected(apply: Apply) -> dict[str, str]:
    """What must be so of the object; the API server answers 409 where it is not."""
    known = {"uid": apply.uid, "resourceVersion": apply.resource_version}
    return {name: value for name, value in known.items() if value is not None}
