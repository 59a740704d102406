"""Whether there is an image for the Python that the pods are to have.

The administrator of the operator lists them by Python. Without one no pod is begun: the usual image
has another Python, and would end with it.
"""

from pennant_operator.decide.goal.package_index import is_settled
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Observed, Refused
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import Reason


def refused_without_python(observed: Observed, world: World, memory: Memory) -> Desired:
    """What is desired; refused where its pods are to have a Python that no image is listed for."""
    desired, python = observed.desired, world.spec.serving.get("python")
    listed = observed.images.by_python
    if python is None or python in listed or not isinstance(desired, ModelVersion):
        return desired
    if is_settled(desired, world, memory):
        return desired
    return Refused(
        Reason.CONFIGURATION_ERROR,
        f"spec.serving.python is {python}, and the operator has images for "
        f"{', '.join(sorted(listed)) or 'none'}: have its administrator list one in its "
        "PENNANT_SERVING_IMAGES, or take it out",
        desired.version,
    )
