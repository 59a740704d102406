"""One ModelRegistry that is followed: its poller and its webhook, and how they are."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeAlias

from pennant_operator.all_or_none import all_or_none
from pennant_operator.decide.registry.brake import recorded_brake
from pennant_operator.decide.registry.health import (
    Health,
    WriteBackHealth,
    recorded_clusters,
    webhook_health,
)
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.kube import Api, Object
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.secrets import read_secret
from pennant_operator.observe.mlflow.version_tags import VersionTags
from pennant_operator.observe.poll.announcements import Enqueue
from pennant_operator.observe.poll.poller import Poller, PollerDependencies
from pennant_operator.observe.registries.supervised import supervised
from pennant_operator.observe.webhook.remembered import Remembered
from pennant_operator.observe.webhook.signing_secret import KEY
from pennant_operator.observe.webhook.webhook import Webhook, WebhookDependencies

# The ModelRegistry as it is stored then, None where nothing was written.
WriteHealth: TypeAlias = Callable[[Object, Health], Awaitable[Object | None]]


class Counts(Protocol):
    """What is counted of registries."""

    def answered(self, registry: str, at: datetime) -> None:
        """A registry answered all that it was asked."""

    def requested(self, registry: str, status: int, seconds: float) -> None:
        """A request to it is over; status 0: without an answer."""

    def braked(self, registry: str, *, on: bool) -> None:
        """Whether its brake holds."""

    def lined_up(self, registry: str, under_way: int, waiting: int) -> None:
        """How many of its rollouts go on, and how many wait for their turn."""

    def unwritten(self, registry: str, places: int) -> None:
        """Of how many ModelDeployments the version tags are not as they should be."""

    def forget(self, registry: str) -> None:
        """The ModelRegistry is gone."""


class WriteBackPart(Protocol):
    """Writes into version tags what becomes of versions here."""

    @property
    def health(self) -> WriteBackHealth | None:
        """None when nobody asks for it, and no tags are left from before."""

    @property
    def unwritten(self) -> int:
        """Of so many ModelDeployments the tags are not as they should be."""

    def look(self, key: Key) -> None:
        """A ModelDeployment may be another by now."""

    async def run(self, report: Callable[[], Awaitable[None]]) -> None:
        """Keep the tags right until cancelled."""

    def fault(self, trouble: str) -> None:
        """`run` raised."""


OpenVersionTags: TypeAlias = Callable[[], VersionTags]
# From a registry, and what this cluster was called by now in the keys of its tags.
MakeWriteBack: TypeAlias = Callable[[RegistrySpec, tuple[str, ...], OpenVersionTags], WriteBackPart]


@dataclass(frozen=True)
class RegistryDependencies:
    """What following ModelRegistries needs of the rest."""

    api: Api
    store: Store
    namespace: str
    enqueue: Enqueue
    write_health: WriteHealth
    counts: Counts
    now: Callable[[], datetime]
    random: Callable[[], float]
    write_back: MakeWriteBack


class Followed:
    """One ModelRegistry; `before` is what followed it until its spec changed.

    `registry` is as it is stored: how its webhook and its brake were, perhaps as another process
    found them.
    """

    def __init__(
        self,
        spec: RegistrySpec,
        dependencies: RegistryDependencies,
        write_health: Callable[[Health], Awaitable[None]],
        registry: Object,
        before: "Followed | None" = None,
    ) -> None:
        self._name = spec.name
        self._dependencies = dependencies
        self._write_health = write_health
        self._health: Health | None = None
        counted = partial(dependencies.counts.requested, spec.name)
        # Answers of another server say nothing about this one.
        same = before is not None and before.poller.spec.url == spec.url
        self.poller: Poller = Poller(
            spec,
            dependencies.store,
            PollerDependencies(
                self._credentials,
                dependencies.enqueue,
                self._polled,
                counted,
                dependencies.now,
                dependencies.random,
            ),
            before.poller.known if before is not None and same else None,
            recorded_brake(registry),
        )
        self.webhook: Webhook = Webhook(
            spec,
            WebhookDependencies(
                owner=f"{dependencies.namespace}/{spec.name}",
                ask_soon=self.poller.ask_soon,
                tags_changed=self.poller.tags_changed,
                read_secret=self._credentials,
                read_signing=self._signing,
                report=self._report,
                count=counted,
                now=dependencies.now,
            ),
            webhook_health(registry),
            before.webhook.remembered if before is not None else Remembered(),
        )
        self.write_back: WriteBackPart = dependencies.write_back(
            spec,
            recorded_clusters(registry),
            partial(VersionTags, spec, self._credentials, counted),
        )

    async def run(self) -> None:
        """Follow it until cancelled, whatever it answers."""
        name, poller, webhook = self._name, self.poller, self.webhook
        part = f"the poller of ModelRegistry {name}"
        parts = {part: supervised(part, poller.run, poller.fault)}
        if webhook.health is not None:
            part = f"the webhook of ModelRegistry {name}"
            parts[part] = supervised(part, webhook.run, webhook.fault)
        if self.write_back.health is not None:
            part = f"the version tags of ModelRegistry {name}"
            parts[part] = supervised(part, self._write_back, self._write_back_fault)
        await all_or_none(parts)

    async def _write_back(self) -> None:
        await self.poller.asked.wait()
        await self._report_tags()  # that tags may be there, before any are
        await self.write_back.run(self._report_tags)

    async def _write_back_fault(self, trouble: str) -> None:
        self.write_back.fault(trouble)
        await self._report_tags()

    async def _report_tags(self) -> None:
        self._dependencies.counts.unwritten(self._name, self.write_back.unwritten)
        await self._report()

    async def _polled(self, health: Health) -> None:
        if health.trouble is None:
            self._dependencies.counts.answered(self._name, self._dependencies.now())
            if self._health is not None and self._health.trouble is not None:
                self.webhook.settle_again()
        self._health = health
        self._line_up()
        await self._report()

    def _line_up(self) -> None:
        """Counts who rolls out and who waits; a place that nobody heard of is given away, too."""
        rollouts, name = self._dependencies.store.rollouts, self._name
        under_way, waiting = rollouts.counts(name)
        self._dependencies.counts.lined_up(name, under_way, waiting)
        self._dependencies.counts.braked(name, on=self.poller.brake.on)
        free = self.poller.spec.max_rollouts - under_way
        self._dependencies.enqueue(rollouts.next_ones(name, free))

    async def _report(self) -> None:
        if self._health is not None:
            health = replace(
                self._health, webhook=self.webhook.health, write_back=self.write_back.health
            )
            await self._write_health(health)

    async def _credentials(self, name: str) -> Mapping[str, str]:
        return await read_secret(self._dependencies.api, self._dependencies.namespace, name)

    async def _signing(self, name: str) -> Mapping[str, str]:
        expected_keys = f"the secret that MLflow signs with as {KEY}"
        return await read_secret(
            self._dependencies.api, self._dependencies.namespace, name, expected_keys
        )
