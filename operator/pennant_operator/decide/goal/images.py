"""With which image the desired version runs, where its tag names one.

The tag is a part of what its revision is, and is read at first contact: what is recorded of a
version counts as long as it is, whatever its tag says by now (law 5).
"""

from dataclasses import replace

from pennant_operator.decide.registry.images import image_refusal
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Observed
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Watch


def with_allowed_image(observed: Observed, watch: Watch) -> Desired:
    """What is desired with the image of its revision, or why that may not run."""
    desired = observed.desired
    if not isinstance(desired, ModelVersion):
        return desired
    record = record_of(observed, desired, watch.registry)
    if record is not None:
        desired = replace(desired, image=_recorded_image(record, desired.image))
    allowed = observed.registry.allowed_images if observed.registry else ()
    refused = image_refusal(desired.image, allowed, registry=watch.registry)
    return replace(refused, version=desired.version) if refused is not None else desired


def _recorded_image(record: Record, tag: str | None) -> str | None:
    """What is recorded does not say it where somebody deleted it and it was made of a slot again:
    there the pods do.
    """
    runs_it = not record.created and record.container.get("image") == tag
    return tag if runs_it else record.image


def record_of(observed: Observed, desired: ModelVersion, registry: str) -> Record | None:
    """Any: they all have the tags of the first. Earlier operators' do not say of which version."""
    return next(
        (
            record
            for record in observed.records.values()
            if (record.model, record.version) == (desired.name, desired.version)
            and record.registry in {"", registry}
            and record.created in {0, desired.created}
        ),
        None,
    )
