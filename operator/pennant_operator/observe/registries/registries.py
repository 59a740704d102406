"""The ModelRegistries of the operator's namespace, and the answers of them all."""

import asyncio
import contextlib
import logging
from dataclasses import replace
from functools import partial

from pennant_operator.decide.goal.last_good import wants_last_good
from pennant_operator.decide.goal.locked import awaits_another_tag
from pennant_operator.decide.registry import no_answer, registries, sources
from pennant_operator.decide.registry.brake import recorded_brake
from pennant_operator.decide.registry.health import Health
from pennant_operator.decide.registry.registries import InvalidRegistryError, RegistrySpec
from pennant_operator.decide.seen.observed import (
    Desired,
    GateFacts,
    ModelVersion,
    Observed,
    Refused,
    RegistryFacts,
)
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import LABEL_CHECK
from pennant_operator.kube import ApiError, Object
from pennant_operator.observe.cluster.listing import relist_actions
from pennant_operator.observe.cluster.store import Key, registry_key
from pennant_operator.observe.poll.gate_questions import gate_question
from pennant_operator.observe.poll.served import unnamed_serving
from pennant_operator.observe.registries.awaited import Awaited
from pennant_operator.observe.registries.followed import Followed, RegistryDependencies
from pennant_operator.observe.webhook.webhook import Webhook
from pennant_registry.hold_form import Holds

LOG = logging.getLogger(__name__)
LIST_INTERVAL_SECONDS = 5.0  # between two LISTs of ModelRegistries, and of RolloutActions there
# that a new leader waits for its first polls: a little more than one request may take
FIRST_POLLS_SECONDS = 6.0


class Registries:
    """Follows ModelRegistries as they come, change and go."""

    def __init__(self, dependencies: RegistryDependencies) -> None:
        self._dependencies = dependencies
        self._namespace = dependencies.namespace
        self._listed = False
        self.asked = asyncio.Event()
        """The first LIST and the first polls are over, whatever came of them."""
        self._live: dict[str, Object] = {}
        self._begun: dict[str, tuple[str, int]] = {}  # uid and generation of what is followed
        self._followed: dict[str, Followed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._invalid: dict[str, Refused] = {}
        self._awaited = Awaited(dependencies.now)

    def exists(self, name: str) -> bool | None:
        """Whether there is a ModelRegistry of this name; None while none were listed."""
        return name in self._live if self._listed else None

    def look_up(self, watch: Watch, key: Key) -> tuple[Desired, RegistryFacts | None]:
        """What a ModelDeployment is to run, and what its pods need for it."""
        followed = self._followed.get(watch.registry)
        if followed is None:
            return self._without_poller(watch.registry), None
        poller = followed.poller
        facts = poller.spec.facts(braked=poller.brake.on)
        refused = poller.spec.refusal(key[0], watch.model)
        if refused is not None:
            return refused, facts
        desired = poller.desired(watch, key)
        if isinstance(desired, ModelVersion):
            root, allowed = poller.spec.pull_root, poller.spec.allowed_sources
            desired = sources.with_pull_source(desired, root, allowed, registry=watch.registry)
        return desired, facts

    def gate_facts(self, watch: Watch, key: Key, seen: Observed) -> GateFacts | None:
        """What gates of a ModelDeployment want to know; None: nothing, or it is asked.

        Where the version is refused for a tag, its tags are asked for again in their place. Who has
        no version to roll asks nothing any more.
        """
        followed, asked = self._followed.get(watch.registry), None
        if followed is None:
            return None
        if isinstance(seen.desired, ModelVersion) and not self._on_hold(seen, seen.desired):
            floor = followed.poller.spec.gates
            refused = awaits_another_tag(seen, watch)
            asked = gate_question(
                seen.owner, seen.desired, floor, seen.records, tag_refused=refused
            )
        return followed.poller.gate_facts(key, asked)

    def serving_missing(self, watch: Watch, key: Key, seen: Observed) -> bool | None:
        """Whether the version that serves is registered no more; None: nobody knows yet."""
        followed = self._followed.get(watch.registry)
        if followed is None:
            return False
        return followed.poller.serving_missing(key, unnamed_serving(seen, watch))

    def last_good(self, watch: Watch, key: Key, seen: Observed) -> ModelVersion | None:
        """The version that served well here before, where nothing has served since."""
        followed, desired = self._followed.get(watch.registry), seen.desired
        if followed is None:
            return None
        wanted = watch.model if wants_last_good(seen, watch) else None
        good, spec = followed.poller.last_good(key, wanted), followed.poller.spec
        if good is None or not isinstance(desired, ModelVersion):
            return None
        good, allowed = replace(good, registered=desired.registered), spec.allowed_sources
        pulled = sources.with_pull_source(good, spec.pull_root, allowed, registry=watch.registry)
        return pulled if isinstance(pulled, ModelVersion) else None

    def _on_hold(self, seen: Observed, desired: ModelVersion) -> bool:
        """What gates are told by now may not be so any more when somebody releases it."""
        now = self._dependencies.now()
        return seen.holds is not None and seen.holds.on(desired.version, now) is not None

    def holds(self, watch: Watch) -> Holds | None:
        """Who holds what is watched, in the registry; None: nobody has said yet."""
        followed = self._followed.get(watch.registry)
        return followed.poller.holds(watch) if followed is not None else None

    async def resume(self, name: str) -> bool | None:
        """Let its brake go: whether that is recorded by now; None where it does not hold."""
        followed, live = self._followed.get(name), self._live.get(name)
        if followed is None or live is None:
            return None
        if not followed.poller.brake.on and not recorded_brake(live).on:
            return None
        await followed.poller.resume()
        return not recorded_brake(self._live.get(name, {})).on

    def webhook(self, name: str) -> Webhook | None:
        """What takes the webhooks of a registry; None where none are asked for."""
        followed = self._followed.get(name)
        return followed.webhook if followed is not None and followed.webhook.wanted else None

    def look(self, key: Key) -> None:
        """A ModelDeployment may be another by now: registries are told, if they are to be."""
        for followed in self._followed.values():
            followed.write_back.look(key)

    def _without_poller(self, name: str) -> Desired:
        if not self._listed:
            return no_answer.registries_not_read()
        if name in self._invalid:
            return self._invalid[name]
        if self._awaited.waits_for(name):
            return no_answer.registry_not_there_yet(name, self._namespace)
        return no_answer.registry_not_found(name, self._namespace)

    async def run(self) -> None:
        """Follow the ModelRegistries until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    listed = await self._dependencies.api.list(
                        "ModelRegistry", self._namespace, f"!{LABEL_CHECK}"
                    )
                except ApiError as error:
                    LOG.warning("ModelRegistries cannot be listed, the last ones stand: %s", error)
                else:
                    await self._follow(listed, group)
                await self._list_actions()
                await self._first_polls()
                await self._awaited.pause(LIST_INTERVAL_SECONDS)

    async def _list_actions(self) -> None:
        """RolloutActions beside the ModelRegistries: this namespace need not be a watched one."""
        dependencies = self._dependencies
        try:
            keys = await relist_actions(dependencies.api, dependencies.store, self._namespace)
        except ApiError as error:
            LOG.warning("RolloutActions cannot be listed, the last ones stand: %s", error)
        except Exception:  # one that nobody thought of must not end what follows the registries
            LOG.exception("RolloutActions cannot be listed because of a fault in the operator")
        else:
            dependencies.enqueue(keys, urgent=True)

    async def _first_polls(self) -> None:
        """Who waits for `asked` takes nothing back that was told before this process began."""
        if self.asked.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_POLLS_SECONDS):
                for followed in tuple(self._followed.values()):
                    await followed.poller.asked.wait()
        self.asked.set()

    async def _follow(self, listed: list[Object], group: asyncio.TaskGroup) -> None:
        store = self._dependencies.store
        objects = {obj["metadata"]["name"]: obj for obj in listed}
        named = {watch.registry for watch in store.watches()}
        changed = self._awaited.listed(objects.keys(), named, first=not self._listed)
        if not self._listed:
            changed, self._listed = named, True
        for name in self._live.keys() - objects.keys():
            del self._live[name], self._begun[name]
            self._stop(name)
            self._dependencies.counts.forget(name)
            changed.add(name)
        for name, obj in objects.items():
            self._live[name] = obj
            if self._begun.get(name) != _identity(obj):
                self._begun[name] = _identity(obj)
                await self._start(name, obj, group)
                changed.add(name)
        watches = [watch for watch in store.watches() if watch.registry in changed]
        self._dependencies.enqueue(key for watch in watches for key in store.watching(watch))
        about = (registry_key(self._namespace, name) for name in changed)
        self._dependencies.enqueue(key for key in about if store.actions(key))

    async def _start(self, name: str, obj: Object, group: asyncio.TaskGroup) -> None:
        before = self._stop(name)
        try:
            spec = _parsed(obj)
        except InvalidRegistryError as error:
            self._invalid[name] = no_answer.registry_invalid(name, self._namespace, error)
            await self._write_health(name, Health(trouble=str(error), invalid=True))
            return
        write_health = partial(self._write_health, name)
        followed = Followed(spec, self._dependencies, write_health, self._live[name], before)
        self._followed[name] = followed
        self._tasks[name] = group.create_task(followed.run())

    async def _write_health(self, name: str, health: Health) -> None:
        registry = self._live.get(name)
        if registry is not None:
            written = await self._dependencies.write_health(registry, health)
            if written is not None and name in self._live:
                self._live[name] = written

    def _stop(self, name: str) -> Followed | None:
        self._invalid.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        return self._followed.pop(name, None)


def _parsed(registry: Object) -> RegistrySpec:
    """Its spec; whatever is wrong with one must not end what follows the others."""
    try:
        return registries.parse_registry(registry)
    except InvalidRegistryError:
        raise
    except Exception as error:
        LOG.exception("ModelRegistry %s cannot be read", registry["metadata"]["name"])
        raise InvalidRegistryError(f"the operator fails on its spec ({error!r:.200})") from error


def _identity(registry: Object) -> tuple[str, int]:
    return registry["metadata"]["uid"], registry["metadata"]["generation"]
