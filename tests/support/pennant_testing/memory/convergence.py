"""An operator comes to rest once the world is calm, and a day later it has nothing to do."""

from datetime import timedelta

from pennant_operator.decide.seen.observed import (
    ModelVersion,
)
from pennant_testing.memory.fallible_operator import FallibleOperator
from pennant_testing.memory.law_checks_strategies import handed_over

TEMPORARY = ("Deployment/rec-lobby", "Service/rec-pods", "Service/rec-candidate")


def settle(operator: FallibleOperator) -> None:
    """Only events and the plan's own wish to look again wake the operator."""
    world = operator.world
    operator.hear()
    for _ in range(300):
        decision = operator.reconcile()
        world.work()
        heard = operator.hear()
        if decision is not None and decision.requeue_after is None and not heard:
            return
        pause = decision.requeue_after if decision is not None else 1
        world.now += timedelta(seconds=1 if heard else pause or 0)
    raise AssertionError(f"does not converge: {world.status}")


def converged(operator: FallibleOperator, *, broken: bool) -> None:
    """What is desired serves, or was rejected; and a restart a day later writes nothing."""
    world = operator.world
    size = world.owner["spec"]["replicas"]
    rejected = world.status["summary"] == "Rejected"
    assert rejected or not broken
    if not rejected:
        assert isinstance(world.desired, ModelVersion)
        assert world.serving == world.desired.version
        assert world.condition("AliasInSync") == ("True", "InSync")
        assert world.status["summary"] == "Serving"
        assert "candidate" not in world.status
    assert world.condition("Stalled")[0] == str(rejected and world.active is None)
    assert sum(world.sizes().values()) == (size if world.active else 0)
    assert set(TEMPORARY) & world.children.keys() == set(), "left over when nothing moves"
    # What somebody wrote on a pod while nothing moves is seen when something does.
    pods = [pod for pods in world.pods.values() for pod in pods if not pod.evicted]
    assert not any(handed_over(p.shares) in world.versions for p in pods), "a share is left"
    world.now += timedelta(days=1)
    operator.restart()
    decision = operator.reconcile()
    assert decision is not None
    assert decision.writes == (), f"law 7: {decision.writes}"
    assert decision.status == world.status
    assert decision.requeue_after is None
