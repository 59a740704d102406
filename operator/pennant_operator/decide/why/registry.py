"""What people can change in the registry, and its administrator at the ModelRegistry."""

import shlex
from dataclasses import replace

from pennant_operator.decide.seen.actions import Act
from pennant_operator.decide.seen.observed import ModelVersion, PackageIndex, Turn
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.decide.why.change import (
    Change,
    Means,
    desired_number,
    named,
    watch_in,
    with_action,
    with_spec,
)
from pennant_operator.decide.why.settling import Moment
from pennant_operator.decide.why.told import open_gates, version_of, without_gates
from pennant_registry.gates import Result
from pennant_registry.hold_form import NO_HOLDS

CLOSED = "closed"


def pass_gates(moment: Moment) -> Change | None:
    """Facts that its gates want; none for a window, which only time opens."""
    refusing = [
        gate
        for gate in moment.memory.status.get("gates") or ()
        if gate["result"] != Result.PASSED and gate["gate"] != CLOSED
    ]
    if not refusing:
        return None
    asked = "; ".join(_wanted(gate) for gate in refusing)

    def done(m: Moment) -> Moment:
        registry = m.seen.registry
        opened = replace(registry, gates=open_gates(registry.gates)) if registry else None
        owner = without_gates(m.seen.owner)
        return replace(m, seen=replace(m.seen, owner=owner, registry=opened))

    version = desired_number(moment)
    return Change(Means.GATES, f"give version {version} what its gates ask: {asked}", done)


def _wanted(gate: dict[str, str]) -> str:
    whose = f" (a gate of ModelRegistry {gate['registry']})" if gate.get("registry") else ""
    return f"{gate.get('message', gate['gate'])}{whose}"


def release(moment: Moment) -> Change | None:
    """A hold that stands in the registry."""
    hold, watch = moment.memory.status.get("hold"), watch_in(moment)
    if not hold or watch is None:
        return None
    own = f" --version {hold['version']}" if hold.get("version") else ""
    of = shlex.quote(watch.model if watch.stage else f"{watch.model}@{watch.alias}")
    if watch.stage:
        of += f" --stage {watch.stage}"
    return Change(
        Means.RELEASE,
        f"release the hold in the registry, tag {hold['tag']} ({hold['reason']})",
        lambda m: replace(m, seen=replace(m.seen, holds=NO_HOLDS)),
        (f"pennant release {of}{own}",),
    )


def elsewhere(moment: Moment) -> Change | None:
    """Another version is desired."""
    watch = watch_in(moment)
    if watch is None:
        return None
    number = _next_number(moment)
    version = ModelVersion(watch.model, number, int(number), "mlflow-artifacts:/unknown")

    def done(m: Moment) -> Moment:
        after = replace(m, seen=replace(m.seen, desired=version))
        if watch.pinned_by is not None:
            return with_action(after, Act.PIN, version=number)
        if watch.version is not None:
            return with_spec(after, model={"name": watch.model, "version": number})
        return after

    what, command = _pointing(watch, moment)
    return Change(Means.ELSEWHERE, what, done, (command,))


def _pointing(watch: Watch, moment: Moment) -> tuple[str, str]:
    if watch.pinned_by is not None:
        return "pin another version", f"kubectl pennant pin {named(moment)} VERSION"
    if watch.version is not None:
        patch = '{"spec":{"model":{"version":"VERSION"}}}'
        how = f"kubectl patch modeldeployment {named(moment)} --type merge -p '{patch}'"
        return "set spec.model.version to another version", how
    promote = f"pennant promote {shlex.quote(f'{watch.model}/VERSION')}"
    if watch.stage is not None:
        what = f"move a higher version into the stage {watch.stage}"
        return what, f"{promote} --stage {watch.stage}"
    return f"point the alias {watch.alias} at another version", f"{promote} --alias {watch.alias}"


def _next_number(moment: Moment) -> str:
    memory = moment.memory
    entries = (memory.desired, memory.serving, memory.candidate, *memory.rejected, *memory.history)
    known = [str(entry.get("version", "")) for entry in entries]
    known += [record.version for record in moment.seen.records.values()]
    return str(max((int(each) for each in known if each.isdecimal()), default=0) + 1)


def answers(moment: Moment) -> Change | None:
    """The registry says where the version is that is desired."""
    watch = watch_in(moment)
    if watch is None:
        return None
    return Change(
        Means.REGISTRY_ANSWERS,
        f"have ModelRegistry {watch.registry} answer about {watch.model!r}: see what is said "
        "above, and its own conditions",
        lambda m: _answered(m, watch),
        ("kubectl pennant registries",),
    )


def allows(moment: Moment) -> Change | None:
    """Its administrator lets it."""
    watch = watch_in(moment)
    if watch is None:
        return None
    what = (
        f"have the administrator of ModelRegistry {watch.registry} change what is named above, or "
        "follow another one (spec.registry)"
    )
    if (
        moment.reason == Reason.CONFIGURATION_ERROR
    ):  # images are the operator's, a lock its writer's
        what = (
            "have what is named above changed: in the spec, by the administrator of ModelRegistry "
            f"{watch.registry} or of the operator, or by who registers the version"
        )
    return Change(
        Means.REGISTRY_ALLOWS,
        what,
        lambda m: _answered(m, watch),
        ("kubectl pennant registries",),
    )


def _answered(moment: Moment, watch: Watch) -> Moment:
    number = watch.version or desired_number(moment) or _next_number(moment)
    seen, registry = moment.seen, moment.seen.registry
    if registry is not None:
        registry = replace(registry, allowed_images=("*",), index=PackageIndex("imagined"))
    version = version_of(seen.records, watch, number)
    return replace(moment, seen=replace(seen, desired=version, registry=registry))


def resume(moment: Moment) -> Change | None:
    """The brake lets go."""
    watch, registry = watch_in(moment), moment.seen.registry
    if watch is None or registry is None:
        return None
    return Change(
        Means.RESUME,
        f"have the brake of ModelRegistry {watch.registry} let go, if all those moves were meant",
        lambda m: replace(m, seen=replace(m.seen, registry=replace(registry, braked=False))),
        (f"kubectl pennant resume {watch.registry}",),
    )


def turn(moment: Moment) -> Change | None:
    """A place among those that come up."""
    watch = watch_in(moment)
    if watch is None:
        return None
    return Change(
        Means.TURN,
        f"wait for its turn, or raise spec.maxConcurrentRollouts of ModelRegistry {watch.registry}",
        lambda m: replace(m, seen=replace(m.seen, turn=Turn())),
    )
