"""What the cluster lacks for a candidate."""

from dataclasses import replace

from pennant_operator.decide.why.change import Change, Means
from pennant_operator.decide.why.pods import (
    in_trouble,
    stuck,
    with_good_pods,
    without_stuck_pods,
)
from pennant_operator.decide.why.settling import Moment


def put_right(moment: Moment) -> Change | None:
    """What its pods lack; None where they lack nothing that they tell."""
    trouble = in_trouble(moment.seen, moment.memory.candidate)
    if not trouble:
        return None

    def done(m: Moment) -> Moment:
        return replace(m, seen=with_good_pods(m.seen, m.memory.candidate, m.now))

    return Change(Means.PODS, f"put right what its pods lack: {trouble.rstrip('. ')}", done)


def make_room(moment: Moment) -> Change | None:
    """The end of pods that are in its slot; None where there are none."""
    left = stuck(moment.seen, moment.memory.candidate, moment.now)
    if not left:
        return None

    def done(m: Moment) -> Moment:
        return replace(m, seen=without_stuck_pods(m.seen, m.memory.candidate, m.now))

    namespace = moment.seen.owner["metadata"]["namespace"]
    return Change(
        Means.MAKE_ROOM,
        f"see why pods in its slot do not end, and end them: {', '.join(left)}",
        done,
        (f"kubectl describe pod {' '.join(left)} -n {namespace}",),
    )
