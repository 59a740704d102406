"""What people can say: by the spec, or by a RolloutAction."""

from dataclasses import replace

from pennant_operator.decide.goal import ownership
from pennant_operator.decide.seen.actions import Act, RolloutAction
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.decide.why.change import (
    Change,
    Means,
    desired_number,
    named,
    with_action,
    with_spec,
)
from pennant_operator.decide.why.settling import Moment


def unsuspend(moment: Moment) -> Change:
    """spec.suspend."""
    patch = '{"spec":{"suspend":false}}'
    how = f"kubectl patch modeldeployment {named(moment)} --type merge -p '{patch}'"
    return Change(
        Means.UNSUSPEND,
        "set spec.suspend to false",
        lambda m: with_spec(m, suspend=False),
        (how,),
    )


def scale(moment: Moment) -> Change:
    """spec.replicas."""
    return Change(
        Means.SCALE,
        "set spec.replicas to 1 or more",
        lambda m: with_spec(m, replicas=1),
        (f"kubectl scale modeldeployment {named(moment)} --replicas=1",),
    )


def end_holds(moment: Moment) -> Change | None:
    """Every RolloutAction that holds."""
    holds = holds_in_force(moment)
    namespace = moment.seen.owner["metadata"]["namespace"]
    names = " ".join(each.name for each in holds)
    if not holds:
        return None
    return Change(
        Means.END_HOLD,
        f"delete RolloutAction {names.replace(' ', ', ')}",
        lambda m: replace(
            m,
            seen=replace(m.seen, actions=tuple(a for a in m.seen.actions if a.act is not Act.HOLD)),
        ),
        (f"kubectl delete rolloutaction {names} -n {namespace}",),
    )


def holds_in_force(moment: Moment) -> list[RolloutAction]:
    """All of them: each holds."""
    actions = (a for a in moment.seen.actions if a.act is Act.HOLD)
    return [each for each in actions if not each.finished and not each.expired(moment.now)]


def approve(moment: Moment) -> Change:
    """A person's word in place of the gates'."""
    version = desired_number(moment)
    return Change(
        Means.APPROVE,
        f"approve version {version}, whatever its gates say",
        lambda m: with_action(m, Act.APPROVE, version=version),
        (f"kubectl pennant approve {named(moment)} --reason WHY",),
    )


def retry(moment: Moment) -> Change:
    """Of what was rejected, once what was wrong is right."""
    rejected = _rejected(moment)
    what = f"have version {rejected} tried again, where its reason is over"
    return Change(
        Means.RETRY,
        what,
        lambda m: with_action(m, Act.RETRY, version=rejected),
        (f"kubectl pennant retry {named(moment)}",),
    )


def _rejected(moment: Moment) -> str:
    return desired_number(moment) or str((moment.memory.rejected or [{}])[0].get("version", ""))


def put_right_and_retry(moment: Moment) -> Change | None:
    """Of what waits for its next try."""
    candidate = moment.memory.candidate
    if "retryTime" not in candidate:
        return None
    version, reason = candidate["version"], candidate.get("reason")
    return Change(
        Means.RETRY,
        f"put right what is said ({reason}), and have version {version} tried at once",
        lambda m: with_action(m, Act.RETRY, version=version),
        (f"kubectl pennant retry {named(moment)}",),
    )


def promote(moment: Moment) -> Change | None:
    """Of a canary, whatever its steps wait for; None where none has a share."""
    if "weight" not in moment.memory.canary:
        return None
    return Change(
        Means.PROMOTE,
        "have it get all of the traffic, whatever its steps wait for",
        lambda m: with_action(m, Act.PROMOTE),
        (f"kubectl pennant promote {named(moment)} --reason WHY",),
    )


def edit_serving(moment: Moment) -> Change:
    """Another revision of the same version."""

    def done(m: Moment) -> Moment:
        serving = m.seen.owner["spec"].get("serving") or {}
        labels = (serving.get("labels") or {}) | {"imagined": "change"}
        return with_spec(m, serving=serving | {"labels": labels})

    return Change(
        Means.EDIT_SERVING,
        "change spec.serving so that its reason is gone (memory, image, environment variables)",
        done,
        (f"kubectl edit modeldeployment {named(moment)}",),
    )


def correct_spec(moment: Moment) -> Change:
    """What cannot be understood, or is refused."""

    def done(m: Moment) -> Moment:
        spec = m.seen.owner["spec"]
        model = spec.get("model") or {}
        known = {name: spec[name] for name in ("registry", "replicas") if name in spec}
        plain = {"name": "model", "alias": model.get("alias") or "production"}
        owner = m.seen.owner | {"spec": known | {"model": plain}}
        return with_spec(replace(m, seen=replace(m.seen, owner=owner)))

    return Change(
        Means.CORRECT_SPEC,
        "correct the field of the spec that is named above",
        done if moment.reason == Reason.INVALID_SPEC else with_spec,
        (f"kubectl edit modeldeployment {named(moment)}",),
    )


def free_name(_: Moment) -> Change:
    """Somebody else's object that has a child's name."""

    def done(m: Moment) -> Moment:
        children = ownership.owned_children(m.seen.children, m.seen.owner)
        return replace(m, seen=replace(m.seen, children=children))

    return Change(
        Means.FREE_NAME,
        "delete or rename the object that is named above, or name the ModelDeployment otherwise",
        done,
    )
