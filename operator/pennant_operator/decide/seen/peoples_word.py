"""What people say of a rollout beside its spec: a Pin stands for what is followed, a Hold stops.

A Pin goes before a Hold: the one names a version, the other stops what nobody named. Once the
pinned version serves, the Hold stops what is new of it, too.
"""

from dataclasses import replace
from datetime import datetime

from pennant_operator.decide.seen.actions import InForce, in_force
from pennant_operator.decide.seen.observed import Absent, Desired, Object, Observed, Unresolved
from pennant_operator.decide.seen.spec import Spec, Watch, parse_spec
from pennant_operator.decide.vocabulary import Reason


def with_pin(owner: Object, word: InForce) -> Object:
    """The ModelDeployment as if its spec named the pinned version; else the very same."""
    spec = owner.get("spec", {})
    model = spec.get("model") or {}
    if word.pin is None or not model.get("name"):
        return owner
    return owner | {"spec": spec | {"model": {"name": model["name"], "version": word.pin.version}}}


def spec_of(observed: Observed, now: datetime) -> Spec:
    """The spec and what people say beside it; raises InvalidSpecError."""
    word, checked = in_force(observed.actions, now), observed.actors_checked
    spec = parse_spec(with_pin(observed.owner, word))
    serving = ((observed.owner.get("status") or {}).get("serving") or {}).get("version")
    pin, hold = word.pin, word.hold
    if pin is not None and pin.version is not None:
        by = pin.title(actors_checked=checked)
        spec = replace(spec, watch=spec.watch.pinned(pin.version, by))
        if serving != pin.version:
            hold = None
    return replace(spec, hold=hold.title(actors_checked=checked) if hold else None)


def answer_to_pin(desired: Desired, watch: Watch) -> Desired:
    """A poller is asked for a version by whoever pins it: its cure is the RolloutAction's here."""
    if watch.pinned_by is None:
        return desired
    if isinstance(desired, Absent) and desired.reason == Reason.VERSION_NOT_FOUND:
        return Absent(
            desired.reason,
            f"ModelRegistry {watch.registry} has no version {watch.version} of {watch.model!r}, "
            f"which {watch.pinned_by} pins: delete the RolloutAction, or pin another version.",
        )
    if isinstance(desired, Unresolved):
        message = desired.message.replace("spec.model.version pins", f"{watch.pinned_by} pins")
        return replace(desired, message=message)
    return desired
