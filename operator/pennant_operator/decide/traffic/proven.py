"""Which revisions had the traffic: their pods rehearse nothing any more.

Going back to one must not depend on what is asked today; nor may a pod that takes another one's
place, or that is added, be refused by the requests of the day.
"""

from pennant_operator.decide.manifests.rehearsal import rehearses, traffic_mark
from pennant_operator.decide.step import Step
from pennant_operator.decide.verdict import Passed


def traffic_marks(step: Step) -> dict[str, str]:
    """The keys, beside the pinned digests, of revisions that had the traffic, or get it now.

    One that was rejected since has none: when it is tried again, it rehearses again.
    """
    traffic, rejected = step.world.traffic, {entry["revision"] for entry in step.rejected}
    proven = {slot.revision for slot in step.world.with_traffic}
    if traffic is not None:
        proven.add(traffic.revision)
    if isinstance(step.verdict, Passed) and step.goal.target is not None:
        proven.add(step.goal.target)
    return {
        traffic_mark(revision): "true"
        for revision, record in sorted(step.records.items())
        if rehearses(record)
        and revision not in rejected
        and (revision in proven or step.memory.served_last(revision))
    }
