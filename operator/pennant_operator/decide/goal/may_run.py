"""What is desired as it is to run: with its image and its packages, or why it may not."""

from dataclasses import replace

from pennant_operator.decide.goal.images import with_allowed_image
from pennant_operator.decide.goal.locked import with_locked_packages
from pennant_operator.decide.goal.package_index import refused_without_index
from pennant_operator.decide.goal.pythons import refused_without_python
from pennant_operator.decide.goal.silence import desired_despite_silence
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Observed
from pennant_operator.decide.seen.world import World


def with_what_may_run(observed: Observed, world: World, memory: Memory) -> Observed:
    """What was seen, with what is desired, and the last good version, as they may run."""
    desired = _as_it_may_run(observed, world, memory)
    if observed.last_good is None:
        return replace(observed, desired=desired)
    good = _as_it_may_run(replace(observed, desired=observed.last_good), world, memory)
    last_good = good if isinstance(good, ModelVersion) else None
    return replace(observed, desired=desired, last_good=last_good)


def _as_it_may_run(observed: Observed, world: World, memory: Memory) -> Desired:
    watch = world.spec.watch
    observed = replace(observed, desired=with_allowed_image(observed, watch))
    locked = with_locked_packages(observed, watch, world.spec.serving)
    observed = replace(observed, desired=locked)
    observed = replace(observed, desired=desired_despite_silence(observed, watch, memory))
    observed = replace(observed, desired=refused_without_index(observed, world, memory))
    return refused_without_python(observed, world, memory)
