"""Carries a Plan out: the writes in order, then the Events, the status last.

Where a rollout begins, the status comes before the writes: its place among those of its registry is
known before it takes it.

A process that dies in between left the status as it was, and the next one decides the rest from
what it finds. What the API server answers goes back into the store at once, so that the next
decision sees it before the watch does.
"""

import secrets
from datetime import datetime
from typing import Protocol

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.decide.intent import (
    Adopt,
    AnnotatePod,
    Apply,
    Create,
    CreateToken,
    Delete,
    Event,
    Plan,
    Write,
)
from pennant_operator.decide.manifests.foreign_changes import admission_event
from pennant_operator.decide.seen.revision import UnreadableRecordError, record_from_object
from pennant_operator.kube import Object

TOKEN_BYTES = 32  # of chance in the token that opens requests for a rehearsal


class ObjectStore(Protocol):
    """Where the answers to our own writes go."""

    def put(self, obj: Object) -> object:
        """The object is now this."""

    def drop(self, kind: str, namespace: str, name: str, uid: str, version: int) -> object:
        """The object, of this resourceVersion, is gone."""


async def carry_out(
    plan: Plan,
    owner: Object,
    cluster: Cluster,
    recorder: Recorder,
    store: ObjectStore,
    now: datetime,
) -> bool:
    """Do what the plan says; the first failure (ConflictError, ApiError) ends it.

    Whether the ModelDeployment is still the one this was decided for. Where it is not, our own
    write brought the change, and the watch has no news of it any more: it is to be looked at again.
    """
    if plan.begins and not await _announce(plan, owner, cluster, recorder, store, now):
        return False
    for write in plan.writes:
        for event in await _carry_out_write(write, owner["metadata"]["namespace"], cluster, store):
            await recorder.post(owner, event, now)
    return plan.begins or await _announce(plan, owner, cluster, recorder, store, now)


async def _announce(
    plan: Plan,
    owner: Object,
    cluster: Cluster,
    recorder: Recorder,
    store: ObjectStore,
    now: datetime,
) -> bool:
    for event in plan.events:
        await recorder.post(owner, event, now)
    if plan.status is not None:
        written = await cluster.apply_status(owner, plan.status)
        if written is not None:
            store.put(written)
            recorder.forget_posted(owner, plan.events)
            return bool(written["metadata"]["generation"] == owner["metadata"]["generation"])
    return True


async def _carry_out_write(
    write: Write, namespace: str, cluster: Cluster, store: ObjectStore
) -> tuple[Event, ...]:
    """What is to be told of it."""
    match write:
        case Apply():
            stored = await cluster.apply(write)
            store.put(stored)
            events = write.event, admission_event(write.manifest, stored, write.admitted)
            return tuple(event for event in events if event is not None)
        case Adopt():
            store.put(await cluster.adopt(write, namespace))
        case Create():
            await _create_record(write, namespace, cluster, store)
        case CreateToken():
            await cluster.create_unread(_with_token(write))
        case AnnotatePod():
            await cluster.annotate_pod(write, namespace)
        case Delete(kind="Pod"):
            await cluster.delete(write, namespace)  # pods are listed when needed, never remembered
        case Delete():
            left = await cluster.delete(write, namespace)
            if left is None:
                version = int(write.resource_version)
                store.drop(write.kind, namespace, write.name, write.uid, version)
            else:
                store.put(left)
    return ()


async def _create_record(
    write: Create, namespace: str, cluster: Cluster, store: ObjectStore
) -> None:
    created = await cluster.create(write.manifest)
    if created is not None and not _is_readable(created):
        # It counted as absent when this was decided. Nobody can change its data.
        await cluster.delete(_deletion_of(created), namespace)
        created = await cluster.create(write.manifest)
    if created is not None:
        store.put(created)


def _with_token(write: CreateToken) -> Object:
    return write.manifest | {"stringData": {write.key: secrets.token_hex(TOKEN_BYTES)}}


def _is_readable(record: Object) -> bool:
    try:
        record_from_object(record)
    except UnreadableRecordError:
        return False
    return True


def _deletion_of(obj: Object) -> Delete:
    meta = obj["metadata"]
    return Delete(obj["kind"], meta["name"], meta["uid"], meta["resourceVersion"])
