"""Which packages the desired version is locked to, where its tag says so and its pods install any.

As with its image, the tag is a part of what its revision is, and is read at first contact. No pod
is begun by a tag that no pod could read.
"""

from dataclasses import replace
from typing import Any

from pennant_operator.decide.goal.images import record_of, with_allowed_image
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Observed, Refused
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import BUNDLE, Watch
from pennant_operator.decide.vocabulary import Reason
from pennant_registry import lock_form
from pennant_registry.names import TAG_ENVIRONMENT

SHOWN_CHARACTERS = 100  # of a tag that is no lock


def with_locked_packages(observed: Observed, watch: Watch, serving: dict[str, Any]) -> Desired:
    """What is desired with the packages of its revision, or why its tag does not do."""
    desired = observed.desired
    if not isinstance(desired, ModelVersion):
        return desired
    if (record := record_of(observed, desired, watch.registry)) is not None:
        desired = replace(desired, environment=_recorded_lock(record, desired.environment))
    refused = lock_refusal(desired, watch.registry)
    if refused is None:
        return desired
    installs = serving.get("environment") == BUNDLE
    return refused if installs else replace(desired, environment=None)


def _recorded_lock(record: Record, tag: str | None) -> str | None:
    """As with images: where a record was made of a slot again, only pods that install say it."""
    return record.environment if record.created or record.installs else tag


def awaits_another_tag(observed: Observed, watch: Watch) -> bool:
    """Whether the desired version is refused for a tag, and for nothing that is recorded."""
    desired, serving = observed.desired, observed.owner["spec"].get("serving") or {}
    if not isinstance(desired, ModelVersion) or record_of(observed, desired, watch.registry):
        return False
    tagged = with_allowed_image(observed, watch), with_locked_packages(observed, watch, serving)
    return any(isinstance(each, Refused) for each in tagged)


def lock_refusal(desired: ModelVersion, registry: str) -> Refused | None:
    """Why a version's tag locks nothing; None where it does, or there is none."""
    if desired.environment is None:
        return None
    try:
        lock_form.read(desired.environment)
    except ValueError as fault:
        shown = desired.environment[:SHOWN_CHARACTERS]
        return Refused(
            Reason.CONFIGURATION_ERROR,
            f"ModelRegistry {registry}: the version's tag {TAG_ENVIRONMENT} {shown!r} {fault}: "
            "write it anew by `pennant lock`, or delete it to have the pods ask the package index",
            desired.version,
        )
    return None
