"""Puts together what `plan` decides from: the owner, its children and pods, and the registry."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pennant_operator.decide.notify.outbox import Delivery
from pennant_operator.decide.plan import wanted_reports, wants_pods
from pennant_operator.decide.seen.actions import in_force
from pennant_operator.decide.seen.answers import ReportQuestion, Reports
from pennant_operator.decide.seen.observed import (
    Desired,
    GateFacts,
    Images,
    ModelVersion,
    Observed,
    RegistryFacts,
    Unknown,
)
from pennant_operator.decide.seen.peoples_word import with_pin
from pennant_operator.decide.seen.spec import Watch, watch_of
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.kube import Object
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.rollouts import Rollouts
from pennant_operator.observe.cluster.store import Key
from pennant_registry.hold_form import Holds

# `plan` says what is wrong with the spec.
_NOT_UNDERSTOOD = Unknown(Reason.WAITING_FOR_REGISTRY, "The spec cannot be understood."), None


class Answers(Protocol):
    """What registries say."""

    def look_up(self, watch: Watch, key: Key) -> tuple[Desired, RegistryFacts | None]:
        """What a ModelDeployment is to run, and what its pods need for it."""

    def holds(self, watch: Watch) -> Holds | None:
        """Who holds what it follows, in the registry; None: nobody has said yet."""

    def gate_facts(self, watch: Watch, key: Key, seen: Observed) -> GateFacts | None:
        """What its gates want to know; None: nothing, or it is asked."""

    def serving_missing(self, watch: Watch, key: Key, seen: Observed) -> bool | None:
        """Whether the version that serves is registered no more; None: nobody knows yet."""

    def last_good(self, watch: Watch, key: Key, seen: Observed) -> ModelVersion | None:
        """Which version served well here before, where nothing has since; None: nobody knows."""


class PodReports(Protocol):
    """What pods say of their answers."""

    def latest(self, key: Key, question: ReportQuestion) -> Reports | None:
        """What they said lately; None: they are being asked."""

    def forget(self, key: Key) -> None:
        """Nobody asks about this ModelDeployment any more."""


class Observer:
    """Sees one ModelDeployment at a time."""

    def __init__(
        self,
        children: Children,
        answers: Answers,
        images: Images,
        reports: PodReports,
        rollouts: Rollouts,
        *,
        actors_checked: bool = False,
        sent: Callable[[Key], frozenset[Delivery]] = lambda _: frozenset(),
    ) -> None:
        self._children = children
        self._answers = answers
        self._images = images
        self._reports = reports
        self._rollouts = rollouts
        self._actors_checked = actors_checked
        self._sent = sent

    async def observe(self, owner: Object, now: datetime) -> Observed:
        """What is so now, pods only where a decision needs them; raises ApiError."""
        actions = self._children.actions(owner)
        owner = with_pin(owner, in_force(actions, now))
        watch, key = watch_of(owner), _key(owner)
        desired, registry = _NOT_UNDERSTOOD if watch is None else self._answers.look_up(watch, key)
        records, unreadable = self._children.records(owner)
        seen = Observed(
            owner=owner,
            desired=desired,
            registry=registry,
            images=self._images,
            children=await self._children.objects(owner),
            records=records,
            actions=actions,
            actors_checked=self._actors_checked,
            sent=self._sent(key),
            unreadable=unreadable,
            holds=None if watch is None else self._answers.holds(watch),
        )
        if watch is not None:
            seen = replace(
                seen,
                gate_facts=self._answers.gate_facts(watch, key, seen),
                serving_missing=self._answers.serving_missing(watch, key, seen),
                last_good=self._answers.last_good(watch, key, seen),
            )
        if watch is not None:
            seen = replace(seen, turn=self._rollouts.turn(key, watch.registry))
        if not wants_pods(seen, now):
            self._reports.forget(key)
            return seen
        seen = replace(seen, pods=await self._children.pods(owner))
        question = wanted_reports(seen, now)
        if question is None:
            self._reports.forget(key)
        else:
            seen = replace(seen, reports=self._reports.latest(key, question))
        if watch is None:
            return seen
        # Others may have begun meanwhile; from here to the plan nobody else has a say.
        return replace(seen, turn=self._rollouts.turn(key, watch.registry))


def _key(owner: Object) -> Key:
    return owner["metadata"]["namespace"], owner["metadata"]["name"]
