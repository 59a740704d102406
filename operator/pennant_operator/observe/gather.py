"""Puts together what `plan` decides from: the owner, its children and pods, and the registry."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pennant_operator.decide.plan import wants_pods
from pennant_operator.decide.seen.observed import Desired, Images, Observed, RegistryFacts, Unknown
from pennant_operator.decide.seen.spec import Watch, watch_of
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.kube import Object
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.store import Key

LookUp = Callable[[Watch, Key], tuple[Desired, RegistryFacts | None]]


class Observer:
    """Sees one ModelDeployment at a time."""

    def __init__(self, children: Children, look_up: LookUp, images: Images) -> None:
        self._children = children
        self._look_up = look_up
        self._images = images

    async def observe(self, owner: Object, now: datetime) -> Observed:
        """What is so now, pods only where a decision needs them; raises ApiError."""
        desired, registry = self._registry(owner)
        records, unreadable = self._children.records(owner)
        seen = Observed(
            owner=owner,
            desired=desired,
            registry=registry,
            images=self._images,
            children=await self._children.objects(owner),
            records=records,
            unreadable=unreadable,
        )
        if not wants_pods(seen, now):
            return seen
        return replace(seen, pods=await self._children.pods(owner))

    def _registry(self, owner: Object) -> tuple[Desired, RegistryFacts | None]:
        watch = watch_of(owner)
        if watch is None:  # `plan` says what is wrong with the spec
            return Unknown(Reason.WAITING_FOR_REGISTRY, "The spec cannot be understood."), None
        meta = owner["metadata"]
        return self._look_up(watch, (meta["namespace"], meta["name"]))
