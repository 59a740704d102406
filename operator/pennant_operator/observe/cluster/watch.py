"""kopf, as the source of watch events and nothing more: this module alone imports it.

Handlers of raw events put the object into the store and queue its ModelDeployment's key. Nothing
is ever returned or patched, so kopf leaves no mark on any object (law 10): no finalizer, no
annotation, no status of its own.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import kopf

from pennant_operator.decide.vocabulary import GROUP, MANAGED_SELECTOR, VERSION
from pennant_operator.kube import LIST_PAGE_LIMIT, Api
from pennant_operator.observe.cluster.session import session
from pennant_operator.observe.cluster.store import Key, Store

OWNERS = (GROUP, VERSION, "modeldeployments")
ACTIONS = (GROUP, VERSION, "rolloutactions")
CHILDREN = (("apps", "v1", "deployments"), ("", "v1", "services"))
WATCH_SECONDS = 300  # of one connection of a watch: connections die unnoticed
CONNECT_SECONDS = 10  # for a connection of a watch to be made
REQUEST_SECONDS = 30  # of one request of a watch, but for what is streamed
RETRY_CAP_SECONDS = 30.0  # at most, between two tries of a watch's request; the first is 1 s
# failed tries of a watch's first LIST, some minutes: then the process ends and says so
LIST_RETRIES_LIMIT = 20


class Jittered:
    """Growing pauses between retries, afresh for each request that fails."""

    def __iter__(self) -> Iterator[float]:
        """About 1, 2, 4 ... 30 seconds."""
        for attempt in itertools.islice(itertools.count(), LIST_RETRIES_LIMIT):
            yield min(RETRY_CAP_SECONDS, 2.0**attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret


class NoMemory(kopf.DiffBaseStorage):
    """Of what an object was before: handlers of raw events are told what it is.

    The framework's own copies the whole object with each event, for handlers that we have none of.
    """

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of the object."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Nothing was kept."""

    def store(self, **_: Any) -> None:
        """Nothing is kept."""


async def watch(
    api: Api,
    store: Store,
    enqueue: Callable[[Key], None],
    *,
    namespaces: tuple[str, ...],
    stop: asyncio.Event,
    take_signals: Callable[[], None],
) -> None:
    """Feed the store and the queue until `stop`; raises what ends kopf.

    kopf takes SIGTERM for itself as it starts; `take_signals` is called to take it back.
    """
    before = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=_handlers(api, store, enqueue),
        settings=_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    take_signals()
    await kopf.run_tasks(tasks, ignored=before)


def _handlers(api: Api, store: Store, enqueue: Callable[[Key], None]) -> kopf.OperatorRegistry:
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.AiohttpSession:
        configuration = api.client.configuration
        return kopf.AiohttpSession(
            server=configuration.host, aiohttp_session=session(configuration)
        )

    async def take(event: kopf.RawEvent, resource: kopf.Resource, **_: Any) -> None:
        key = _take(store, event, resource)
        if key is not None:
            enqueue(key)

    for group, version, plural in (OWNERS, ACTIONS, *CHILDREN):
        kopf.on.event(group, version, plural, registry=handlers)(take)
    return handlers


def _take(store: Store, event: kopf.RawEvent, resource: kopf.Resource) -> Key | None:
    # Objects of the first LIST come without their kind.
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    named = {"kind": resource.kind, "apiVersion": version}
    obj: dict[str, Any] = {**named, **event["object"]}
    if event["type"] != "DELETED":
        return store.put(obj)
    meta = obj["metadata"]
    # Told of what lost our label, too, which is still there, and at this very version.
    before = int(meta["resourceVersion"]) - 1
    return store.drop(obj["kind"], meta["namespace"], meta["name"], meta["uid"], before)


def _settings() -> kopf.OperatorSettings:
    """The defaults suit small ad-hoc operators; why ours differ is said at each."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # Events are ours (act/events.py)
    settings.peering.standalone = True  # peering is no lock
    settings.persistence.diffbase_storage = NoMemory()
    settings.scanning.disabled = True  # no watch of CRDs and namespaces; __main__ checks the CRDs
    settings.queueing.worker_limit = None  # a limit starves; our own queue bounds the work
    settings.queueing.idle_timeout = 0.5  # a task per object that just changed, not for longer
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.initial_streaming = False  # loses objects when the first stream breaks
    settings.watching.chunk_size = LIST_PAGE_LIMIT
    settings.networking.request_timeout = REQUEST_SECONDS
    settings.networking.connect_timeout = CONNECT_SECONDS
    settings.networking.error_backoffs = Jittered()
    for kind in CHILDREN:
        settings.watching.label_selectors[kind] = MANAGED_SELECTOR
    return settings
