"""Whether the pods of a candidate that bring their bundle's environment have one and the same.

A package index may change between two pods. That is not the model's fault: the candidate is taken
down, and its next pods ask the index anew. What had the traffic is pinned, and asks it no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pennant_operator.decide.seen.environment import common_environment
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.verdict import Held, Passed, Rejected, Verdict
from pennant_operator.decide.vocabulary import Reason


@dataclass(frozen=True)
class Installing:
    """What the pods of such a candidate are measured by."""

    image: str  # of `fetch`
    pinned: str | None = None  # digest of what they must have installed, where that is known


def verdict_on_environments(
    pods: Sequence[PodFacts], installing: Installing, digest: str
) -> Verdict:
    """Of pods whose bundles are the same, by this digest."""
    if silent := next((pod for pod in pods if pod.environment is None), None):
        return Held(
            Reason.CONFIGURATION_ERROR,
            f"pod {silent.name}, container fetch: it did not report which packages it installed: "
            f"its image {installing.image} does not know spec.serving.environment; run the fetch "
            "image of the operator's own release (PENNANT_FETCH_IMAGE)",
        )
    digests = sorted({pod.environment.digest for pod in pods if pod.environment})
    if installing.pinned is not None and digests != [installing.pinned]:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods installed environment {', '.join(digests)}, but {installing.pinned} was locked "
            "or pinned; register the bundle as a new version",
        )
    if (environment := common_environment(pod.environment for pod in pods)) is None:
        return Held(
            Reason.DOWNLOAD_FAILED,
            f"pods installed different packages (environments {', '.join(digests)}): the package "
            "index changed between two pods; all are asked for anew with the next try, or write "
            "exact versions into the bundle's requirements",
        )
    return Passed(digest, environment)
