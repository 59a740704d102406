"""Whether the pods of a version that brings its environment could install it anywhere.

The ModelRegistry says where packages may come from. Where it names no index no pod is begun that
could not end well: what serves, or comes up, goes on.
"""

from pennant_operator.decide.goal.revisions import revision_today
from pennant_operator.decide.seen.memory import Memory, still_rejected
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Observed, Refused
from pennant_operator.decide.seen.spec import BUNDLE
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import Reason


def refused_without_index(observed: Observed, world: World, memory: Memory) -> Desired:
    """What is desired; refused where it brings its environment and the ModelRegistry no index."""
    desired, registry, spec = observed.desired, observed.registry, world.spec
    if spec.serving.get("environment") != BUNDLE or registry is None or registry.index:
        return desired
    if not isinstance(desired, ModelVersion) or is_settled(desired, world, memory):
        return desired
    return no_index(spec.watch.registry, desired.version)


def is_settled(desired: ModelVersion, world: World, memory: Memory) -> bool:
    """Whether its revision has pods already, or is rejected and gets none in any case: that comes
    first."""
    revision, rejected = revision_today(world.spec, desired), still_rejected(memory, desired)
    return _has_pods(world, revision) or any(each["revision"] == revision for each in rejected)


def no_index(registry: str, version: str) -> Refused:
    """What a person reads then."""
    return Refused(
        Reason.CONFIGURATION_ERROR,
        f"spec.serving.environment is Bundle, and ModelRegistry {registry} does not say where "
        "packages may come from: have its administrator set its spec.environments.indexURL, or "
        "set spec.serving.environment to Image",
        version,
    )


def _has_pods(world: World, revision: str) -> bool:
    traffic, idle = world.traffic, world.idle
    return revision in {traffic.revision if traffic else None, idle.revision if idle.size else None}
