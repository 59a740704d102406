"""Hypothesis plays the registry, the person, the cluster and the network against an operator.

In any order (fallible_operator.py); every write and every status is held against the laws
(law_checks.py), and all converges once the world calms down.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from pennant_operator.decide.manifests.drift import MAX_SET_BACKS
from pennant_operator.decide.seen.observed import (
    Absent,
    Images,
    ModelVersion,
    Refused,
    Turn,
    Unknown,
    Unresolved,
)
from pennant_registry.gates import VersionFacts
from pennant_testing.memory.chaos_of_people import LOOKS, NUMBERS, SECONDS
from pennant_testing.memory.chaos_of_strategies import BESIDE, STRATEGY, ChaosOfStrategies
from pennant_testing.memory.cluster_state import SLOTS
from pennant_testing.memory.convergence import converged, settle
from pennant_testing.memory.fallible_operator import Fate
from pennant_testing.memory.law_checks import one_revision
from pennant_testing.memory.object_builders import (
    INDEX,
    NOW,
    REGISTRY,
    locked,
    model_deployment,
    version,
)
from pennant_testing.memory.scarcity import Scarcity
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, leads_to
from pennant_testing.memory.simulated_pods import BEHAVIOURS, crashed

NAMES = ("Service/rec", "Deployment/rec-green", "ConfigMap/rec-digests")
ANSWERS = (
    Unknown("RegistryUnreachable", "it does not answer", NOW),
    Unknown("WaitingForRegistry", "not asked yet"),
    Absent("AliasNotSet", "the alias is not set"),
    Absent("ModelNotFound", "the model is not there"),
    Unresolved("VersionNotResolved", "its run is gone", "9"),
    Unresolved("ModelNotReadable", "not for this account"),
    Unresolved("AliasNotSet", "seen once"),
    Refused("NotAllowed", "namespace team may not use it"),
)
REHEARSAL: dict[bool, dict[str, Any]] = {True: {"rehearsal": {}}, False: {}}
ENVIRONMENTS: tuple[dict[str, Any], ...] = ({}, {"environment": "Bundle"})
HOW = st.sampled_from(list(BEHAVIOURS))
SLOT = st.sampled_from(SLOTS)
ROOM = st.sampled_from([None, 3, 2, 1, 4])  # pods that there is room for; None: for any number


def tagged(number: str) -> ModelVersion:
    """Versions 7 and 9 have a digest tag, 8 has none; 9 is locked to packages."""
    lock = locked() if number == "9" else None
    return replace(version(number, tag=number != "8"), environment=lock)


class Chaos(ChaosOfStrategies):
    """One ModelDeployment in a world that does as it likes."""

    def __init__(self) -> None:
        registry = replace(REGISTRY, index=INDEX)
        super().__init__(Simulation(tagged("7"), owner=model_deployment(), registry=registry))
        self.stubborn = False
        self.edits = 0

    @initialize(
        number=st.sampled_from(["8", "7", ""]),
        stubborn=st.booleans(),
        rehearses=st.booleans(),
        environment=st.sampled_from(ENVIRONMENTS),
        name=STRATEGY,
        beside=st.sampled_from(BESIDE),
    )
    def begin(
        self, number: Any, stubborn: Any, rehearses: Any, environment: Any, name: Any, beside: Any
    ) -> None:
        """With nothing, with a version that serves, or with one that bakes beside another."""
        self.stubborn = stubborn
        rollout = self.world.owner["spec"]["rollout"] | REHEARSAL[rehearses]
        self.world.specify(rollout=rollout, serving=environment)
        self.take_over_by(name, beside)
        self.operator.hear()
        for served in range(7, int(number or 0) + 1):
            self.world.desired = tagged(str(served))
            self.goes_on(6)

    # The operator and the cluster.

    @rule(looks=LOOKS, seconds=SECONDS)
    def all_goes_well(self, looks: Any, seconds: Any) -> None:
        self.goes_on(looks, seconds)

    @rule(fate=st.sampled_from(Fate), at=st.integers(0, 5))
    def the_operator_looks(self, fate: Any, at: Any) -> None:
        self.operator.fates[self.operator.sent + at] = fate
        self.operator.reconcile()

    @rule(who=st.sampled_from(["restart", "hear"]), image=st.booleans())
    def the_operator_lives(self, who: Any, image: Any) -> None:
        if image:
            self.world.images = Images("fetch:2", f"serve:{self.world.counter}")
        if who == "restart":
            self.nothing_is_known_of_holds()
        getattr(self.operator, who)()

    @rule(who=st.sampled_from(["controllers", "kubelets", "report"]), seconds=SECONDS)
    def the_cluster_works(self, who: Any, seconds: Any) -> None:
        getattr(self.world, who)()
        self.world.now += timedelta(seconds=seconds)

    # The registry, and the pods of its versions.

    @rule(number=NUMBERS, how=HOW, looks=LOOKS, seconds=SECONDS)
    def the_alias_moves(self, number: Any, how: Any, looks: Any, seconds: Any) -> None:
        self.world.desired = tagged(number)
        self.world.behaviour[number] = BEHAVIOURS[how]
        self.goes_on(looks, seconds)

    @rule(how=HOW, crash=st.booleans(), looks=LOOKS)
    def what_serves_changes(self, how: Any, crash: Any, looks: Any) -> None:
        number = str(self.world.serving)
        self.world.behaviour[number] = crashed(self.world.now) if crash else BEHAVIOURS[how]
        self.goes_on(looks)

    @rule(answer=st.sampled_from(ANSWERS), looks=LOOKS, seconds=SECONDS)
    def the_registry_says(self, answer: Any, looks: Any, seconds: Any) -> None:
        self.world.desired = answer
        self.goes_on(looks, seconds)

    # The person, and accidents.

    @rule(replicas=st.sampled_from([2, 3, 1, 0, 12, 7]), suspend=st.booleans(), looks=LOOKS)
    def the_size_changes(self, replicas: Any, suspend: Any, looks: Any) -> None:
        self.world.specify(replicas=replicas, suspend=suspend)
        self.goes_on(looks)

    @rule(removed=st.sampled_from(["ScaleDown", "Keep"]), looks=LOOKS)
    def a_removal_means_another_thing(self, removed: Any, looks: Any) -> None:
        self.world.specify(onAliasRemoved=removed)
        self.world.desired = Absent("AliasNotSet", "the alias is not set")
        self.goes_on(looks)

    @rule(value=st.sampled_from("ab"), environment=st.sampled_from(ENVIRONMENTS), looks=LOOKS)
    def the_pods_change(self, value: Any, environment: Any, looks: Any) -> None:
        self.world.specify(serving={"env": [{"name": "A", "value": value}], **environment})
        self.goes_on(looks)

    @rule(packages=st.sampled_from("abc"), index=st.sampled_from([INDEX, None]), looks=LOOKS)
    def the_package_index_changes(self, packages: Any, index: Any, looks: Any) -> None:
        """Or the ModelRegistry names none any more."""
        self.world.packages = packages
        self.world.registry = replace(self.world.registry or REGISTRY, index=index)
        self.goes_on(looks)

    @rule(alias=st.sampled_from(["production", "canary"]), answered=st.booleans(), looks=LOOKS)
    def another_alias_is_followed(self, alias: Any, answered: Any, looks: Any) -> None:
        self.world.specify(model={"name": "news", "alias": alias})
        if not answered:
            self.world.desired = Unknown("WaitingForRegistry", "not asked yet")
        self.goes_on(looks)

    @rule(number=NUMBERS, answered=st.booleans(), looks=LOOKS)
    def a_version_is_pinned_and_followed_again(
        self, number: Any, answered: Any, looks: Any
    ) -> None:
        answer = tagged(number) if answered else Unknown("WaitingForRegistry", "not asked yet")
        followed, self.world.desired = self.world.owner["spec"]["model"], answer
        self.world.specify(model={"name": "news", "version": number})
        self.goes_on(looks)
        self.world.specify(model=followed)

    @precondition(lambda self: self.edits < MAX_SET_BACKS)  # nobody insists
    @rule(slot=SLOT, size=st.integers(0, 3), image=st.booleans())
    def somebody_edits(self, slot: Any, size: Any, image: Any) -> None:
        if self.world.deployment(slot) is not None:
            self.edits += 1
            spec = self.world.edit(slot)["spec"]
            spec["replicas"] = size
            if image:
                spec["template"]["spec"]["containers"][0]["image"] = "mine"

    @rule(what=st.sampled_from([*NAMES, "Deployment/rec-blue", "records"]))
    def somebody_deletes(self, what: Any) -> None:
        if what == "records" and self.world.children.get(f"Deployment/rec-{self.active_slot}"):
            self.world.records.clear()  # both would leave nothing to bring back
        self.world.children.pop(what, None)

    @property
    def active_slot(self) -> str:
        """By the Service; what serves may be gone."""
        return leads_to(self.world.children.get("Service/rec"), dict.fromkeys(SLOTS, ()))

    @rule(slot=SLOT)
    def a_pod_is_evicted(self, slot: Any) -> None:
        self.world.evict(slot)

    @rule(
        what=st.sampled_from(["selector", "slot", "revision", "since"]),
        text=st.sampled_from([*SLOTS, "", "none", "2026-11-21T12:00:00Z"]),
        looks=LOOKS,
    )
    def somebody_edits_the_service(self, what: Any, text: Any, looks: Any) -> None:
        self.world.aim(**{what: text})
        self.operator.hear()
        self.goes_on(looks)

    @rule(room=ROOM, quota=ROOM, looks=LOOKS, seconds=SECONDS)
    def there_is_room_for(self, room: Any, quota: Any, looks: Any, seconds: Any) -> None:
        self.world.lacks.room, self.world.lacks.quota = room, quota
        self.goes_on(looks, seconds)

    @rule(node=st.sampled_from(["node-1", "node-2", None]), looks=LOOKS, seconds=SECONDS)
    def a_node_dies(self, node: Any, looks: Any, seconds: Any) -> None:
        self.world.dies(node)
        self.goes_on(looks, seconds)
        self.world.taint()
        self.goes_on(looks, seconds)

    @rule(name=st.sampled_from(NAMES), take=st.booleans())
    def a_name_is_taken(self, name: Any, take: Any) -> None:
        self.world.somebody_has(name if take else None)

    @rule(how=st.sampled_from(["all goes", "orphans stay", "collected"]))
    def deleted_and_created_again(self, how: Any) -> None:
        match how:
            case "all goes":
                self.world.recreate()
            case "orphans stay":
                self.world.orphan()
                self.operator.laws.forget_rejections()  # they were in the status
            case "collected":
                self.world.collect_garbage()
        self.operator.hear()

    @invariant()
    def a_slot_runs_what_it_holds(self) -> None:
        one_revision(self.world)

    def teardown(self) -> None:
        """The world calms down; what cannot load may stay so."""
        self.world.actions.clear()
        if not isinstance(self.world.desired, ModelVersion):
            self.world.desired = tagged("9")
        number, how = self.world.desired.version, self.world.behaviour
        served = (self.world.status.get("history") or []) + [{"version": self.world.serving}]
        new = number not in {entry["version"] for entry in served}
        broken = self.stubborn and new and how.get(number) is BEHAVIOURS["cannot load"]
        self.world.behaviour = {number: how[number]} if broken else {}
        self.world.answers = {version: answered(100) for version in self.world.answers}
        self.world.specify(suspend=False)
        self.world.facts[number] = VersionFacts(number, tags={"approved": "true"})
        self.tags.clear()
        self.the_operator_is_told_of_holds()
        self.world.collect_garbage()
        self.world.somebody_has(None)
        self.world.lacks = Scarcity()
        self.nobody_waits_for_a_person()
        self.world.registry = replace(self.world.registry or REGISTRY, braked=False, index=INDEX)
        self.world.turn = Turn()
        self.operator.fates.clear()
        self.operator.restart()
        settle(self.operator)
        if not self.world.owner["spec"]["replicas"]:
            assert not sum(self.world.sizes().values()), "pods at replicas 0"
            self.world.specify(replicas=2)
            settle(self.operator)
        converged(self.operator, broken=broken)
