"""The laws hold whatever happens, and every run converges once the world calms down.

Hypothesis plays the registry, the person, the cluster and the network against an operator, in
any order (chaos.py); every write and every status is held against the laws (laws.py).
"""

from datetime import timedelta

import pytest
from builders import NOW, model_deployment, version
from chaos import Fate, Operator
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from simulated_pods import (
    becomes_ready,
    crashed,
    fails,
    fetches_other_bytes,
    first_fails,
    hangs,
    stays_pending,
)
from simulation import SLOTS, Simulation

from pennant_operator.decide.observed import Absent, ModelVersion, Refused, Unknown

pytestmark = pytest.mark.unit

BEHAVIOURS = {
    "ready": becomes_ready,
    "cannot load": fails("LoadFailed"),
    "cannot fetch": fails("DownloadFailed", container="fetch"),
    "first pod fails": first_fails,
    "other bytes": fetches_other_bytes,
    "hangs": hangs,
    "pending": stays_pending,
}
VERSIONS = st.sampled_from("6789")  # the even ones have no digest tag
NAMES = ("Service/rec", "Deployment/rec-green", "ConfigMap/rec-digests")
ANSWERS = (
    Unknown("RegistryUnreachable", "it does not answer", NOW),
    Unknown("WaitingForRegistry", "not asked yet"),
    Absent("AliasNotSet", "the alias is not set"),
    Absent("ModelNotFound", "the model is not there"),
    Refused("NotAllowed", "namespace team may not use it"),
)


def tagged(number: str) -> ModelVersion:
    return version(number, tag=int(number) % 2 == 1)


class Chaos(RuleBasedStateMachine):
    """One ModelDeployment in a world that does as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Simulation(tagged("7"), owner=model_deployment())
        self.operator = Operator(self.world)

    # The operator and the cluster.

    @rule(times=st.integers(1, 4))
    def all_goes_well(self, times):
        for _ in range(times):
            self.operator.reconcile()
            self.world.work()
            self.operator.hear()
            self.world.now += timedelta(seconds=1)

    @rule(fate=st.sampled_from(Fate), at=st.integers(0, 5))
    def reconcile(self, fate, at):
        self.operator.reconcile(fate, at)

    @rule()
    def restart(self):
        self.operator.restart()

    @rule()
    def upgrade(self):
        self.world.images = type(self.world.images)("fetch:2", f"serve:{self.world.counter}")
        self.operator.restart()

    @rule()
    def events_arrive(self):
        self.operator.hear()

    @rule(who=st.sampled_from(["controllers", "kubelets", "report"]))
    def the_cluster_works(self, who):
        getattr(self.world, who)()

    @rule(seconds=st.sampled_from([1, 40, 130, 700, 2000]))
    def time_passes(self, seconds):
        self.world.now += timedelta(seconds=seconds)

    # The registry.

    @rule(number=VERSIONS)
    def the_alias_moves(self, number):
        self.world.desired = tagged(number)

    @rule(answer=st.sampled_from(ANSWERS))
    def the_registry_has_no_version(self, answer):
        self.world.desired = answer

    # The pods.

    @rule(number=VERSIONS, how=st.sampled_from(sorted(BEHAVIOURS)))
    def pods_fare(self, number, how):
        self.world.behaviour[number] = BEHAVIOURS[how]

    @rule(number=VERSIONS)
    def pods_crash(self, number):
        self.world.behaviour[number] = crashed(self.world.now)

    # The person.

    @rule(replicas=st.integers(0, 3))
    def scale(self, replicas):
        self.specify(replicas=replicas)

    @rule(suspend=st.booleans())
    def suspend(self, suspend):
        self.specify(suspend=suspend)

    @rule(value=st.sampled_from("ab"))
    def change_the_pods(self, value):
        self.specify(serving={"env": [{"name": "A", "value": value}]})

    @rule()
    def delete_the_service(self):
        self.world.children.pop("Service/rec", None)

    @rule(slot=st.sampled_from(SLOTS))
    def delete_a_deployment(self, slot):
        self.world.children.pop(f"Deployment/rec-{slot}", None)

    @rule(slot=st.sampled_from(SLOTS), size=st.integers(0, 3))
    def scale_a_deployment(self, slot, size):
        deployment = self.world.deployment(slot)
        if deployment is not None:
            self.world.edit(slot)["spec"]["replicas"] = size

    @rule(slot=st.sampled_from(SLOTS))
    def edit_a_deployment(self, slot):
        if self.world.deployment(slot) is not None:
            containers = self.world.edit(slot)["spec"]["template"]["spec"]["containers"]
            containers[0]["image"] = "mine"

    @rule(slot=st.sampled_from(SLOTS))
    def evict(self, slot):
        self.world.evict(slot)

    @rule()
    def delete_the_records(self):
        self.world.records.clear()

    @rule(key=st.sampled_from(NAMES))
    def take_a_name(self, key):
        kind, name = key.split("/")
        meta = {"name": name, "uid": "foreign", "resourceVersion": "1", "generation": 1}
        self.world.children.setdefault(key, {"kind": kind, "metadata": meta, "spec": {}})

    @rule()
    def give_names_back(self):
        foreign = [k for k, c in self.world.children.items() if c["metadata"]["uid"] == "foreign"]
        for key in foreign:
            del self.world.children[key]

    @rule()
    def recreate(self):
        self.world.recreate()
        self.operator.hear()

    @rule()
    def collect_garbage(self):
        self.world.collect_garbage()

    def specify(self, **fields) -> None:
        self.world.owner = {**self.world.owner, "spec": {**self.world.owner["spec"], **fields}}

    def teardown(self) -> None:
        """The world calms down."""
        self.world.behaviour.clear()
        self.specify(suspend=False)
        self.world.collect_garbage()
        self.give_names_back()
        if not isinstance(self.world.desired, ModelVersion):
            self.world.desired = tagged("9")
        self.operator.restart()
        settle(self.operator)
        converged(self.operator)


def settle(operator: Operator) -> None:
    """Only events and the plan's own wish to look again wake the operator."""
    world = operator.world
    operator.hear()
    for _ in range(300):
        found = operator.reconcile()
        world.work()
        heard = operator.hear()
        if found is not None and found.requeue_after is None and not heard:
            return
        pause = found.requeue_after if found is not None else 1
        world.now += timedelta(seconds=1 if heard else pause or 0)
    raise AssertionError(f"does not converge: {world.status}")


def converged(operator: Operator) -> None:
    world = operator.world
    size = world.owner["spec"]["replicas"]
    rejected = world.status["summary"] == "Rejected"
    if not rejected:
        assert world.serving == world.desired.version
        assert world.condition("AliasInSync") == ("True", "InSync")
        assert world.status["summary"] == ("Serving" if size else "Waiting")
        assert "candidate" not in world.status
    assert world.condition("Stalled")[0] == str(rejected and world.active is None)
    assert sum(world.sizes().values()) == (size if world.active else 0)
    world.now += timedelta(days=1)
    operator.restart()
    found = operator.reconcile()
    assert found.writes == (), f"law 7: {found.writes}"
    assert found.status == world.status
    assert found.requeue_after is None


TestChaos = Chaos.TestCase
TestChaos.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
