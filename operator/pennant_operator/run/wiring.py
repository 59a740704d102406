"""Builds the parts of the operator and gives each what it needs; nothing runs yet."""

import random
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.act.messages import Sender
from pennant_operator.act.registry_status import RegistryStatusWriter
from pennant_operator.act.write_back import WriteBack, WriteBackDependencies
from pennant_operator.backoff import Backoff
from pennant_operator.config import Config
from pennant_operator.decide.notify.notifiers import Notifier
from pennant_operator.decide.seen.observed import Images
from pennant_operator.kube import Api
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.places import Places
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.gather import Observer
from pennant_operator.observe.mlflow.secrets import read_secret
from pennant_operator.observe.registries.followed import RegistryDependencies
from pennant_operator.observe.registries.registries import Registries
from pennant_operator.observe.reports.reports import PodReader
from pennant_operator.run.decisions import Decisions, ignore, to_standard_output
from pennant_operator.run.http.receiver import Receiver
from pennant_operator.run.http.relay import Relay, address, identity
from pennant_operator.run.lease.elector import Elector
from pennant_operator.run.lease.leadership import Alone, Leadership, clock
from pennant_operator.run.lists import Lists
from pennant_operator.run.metrics.metrics import Metrics
from pennant_operator.run.notify.courier import Courier, CourierDependencies
from pennant_operator.run.queue import WorkQueue
from pennant_operator.run.reconcile import Reconciler
from pennant_operator.run.targetless import Targetless
from pennant_operator.token_bucket import TokenBucket

# until a status is written anew for what notifiers were sent: several within it are one write
SENT_SECONDS = 1.0
WRITE_BURST_SECONDS = 10  # of PENNANT_WRITE_RATE's writes may be made at once


@dataclass(frozen=True)
class Parts:
    """The wired operator."""

    config: Config
    api: Api
    store: Store
    queue: WorkQueue[Key]
    registries: Registries
    reconciler: Reconciler
    cluster: Cluster
    metrics: Metrics
    lease: Leadership
    lists: Lists
    hooks: Receiver
    reader: PodReader
    sender: Sender
    decisions: Decisions | None


def wire(config: Config, api: Api) -> Parts:
    """Build every part; nothing runs yet."""
    store, queue = Store(), WorkQueue[Key]()
    decisions = _decisions(config)
    lease = _leadership(config, api, decisions)
    metrics = Metrics(depth=queue.__len__, may_write=lease.may_last, now=_now)
    burst = max(1, int(WRITE_BURST_SECONDS * config.write_rate))
    limiter = TokenBucket(config.write_rate, burst)
    cluster = Cluster(api, limiter=limiter, fence=lease.may_last, count=metrics.wrote)

    def enqueue(keys: Iterable[Key], *, urgent: bool = False) -> None:
        for key in keys:
            queue.add(key, urgent=urgent)

    store.rollouts.wake = partial(enqueue, urgent=True)
    sender = Sender(_now)
    courier = Courier(
        CourierDependencies(
            store=store,
            sender=sender,
            read_address=partial(_address, api, config.namespace),
            look_again=lambda key: queue.add_after(key, SENT_SECONDS),
            count=metrics.registries.notified,
            fence=lease.may_last,
            now=_now,
            random=random.random,
        )
    )
    registries = Registries(
        RegistryDependencies(
            api=api,
            store=store,
            namespace=config.namespace,
            enqueue=enqueue,
            write_health=RegistryStatusWriter(cluster.apply_status, _now).write,
            counts=metrics.registries,
            notifying=courier,
            now=_now,
            random=random.random,
            write_back=partial(
                WriteBack,
                WriteBackDependencies(
                    places=Places(store, config.watch_namespaces),
                    fence=lease.may_last,
                    now=_now,
                    random=random.random,
                    head=partial(_head, decisions),
                ),
            ),
        )
    )
    children, reader = Children(api, store), PodReader(lambda key: queue.add(key, urgent=True))
    reconciler = Reconciler(
        store=store,
        children=children,
        observer=Observer(
            children,
            registries,
            Images(
                config.fetch_image,
                config.serving_image,
                config.pod_fs_group,
                config.serving_images,
            ),
            reader,
            store.rollouts,
            actors_checked=config.actors_checked,
            sent=courier.sent,
        ),
        cluster=cluster,
        recorder=Recorder(cluster, config.identity),
        metrics=metrics,
        queue=queue,
        backoff=Backoff(random.random),
        targetless=Targetless(
            store, cluster, config.namespace, registries.exists, registries.resume, _now
        ),
        now=_now,
        looked_at=registries.look,
        courier=courier,
        record=decisions.record if decisions is not None else ignore,
    )
    return Parts(
        config=config,
        api=api,
        store=store,
        queue=queue,
        registries=registries,
        reconciler=reconciler,
        cluster=cluster,
        metrics=metrics,
        lease=lease,
        lists=Lists(api, store, queue, lease, config.watch_namespaces),
        hooks=_receiver(registries, metrics, lease),
        reader=reader,
        sender=sender,
        decisions=decisions,
    )


async def _address(api: Api, namespace: str, notifier: Notifier) -> str:
    """A notifier's; raises RegistryTroubleError. Never log it."""
    expected = f"the receiver's address as {notifier.key}"
    secret = await read_secret(api, namespace, notifier.secret, expected)
    return secret.get(notifier.key, "").strip()


def _decisions(config: Config) -> Decisions | None:
    if config.decisions == "off":
        return None
    return Decisions(to_standard_output, secrets.token_hex(8), full=config.decisions == "full")


def _head(decisions: Decisions | None) -> str | None:
    """Of the lines that were printed; None where there is none yet, or none is to be."""
    return decisions.head if decisions is not None else None


def _leadership(config: Config, api: Api, decisions: Decisions | None) -> Leadership:
    if not config.leader_elect:
        return Alone()
    elector = Elector(
        api,
        namespace=config.namespace,
        # A pod's name stays when its container is started again: that one has to wait, too.
        identity=identity(
            f"{config.identity}_{uuid.uuid4().hex[:8]}", config.pod_ip, config.webhook_port
        ),
        timing=config.timing,
        clock=clock,
        wall=_now,
        random=random.random,
        head=partial(_head, decisions),
    )
    if decisions is not None:
        decisions.predecessor = lambda: elector.predecessor
    return elector


def _receiver(registries: Registries, metrics: Metrics, lease: Leadership) -> Receiver:
    def leader() -> str | None:
        return None if lease.may_last() > 0 else address(lease.holder)

    return Receiver(registries.webhook, metrics.registries.hooked, Relay(leader))


def _now() -> datetime:
    return datetime.now(UTC)
