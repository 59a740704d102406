"""The revision that a version is with today's spec."""

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.revision import revision_of
from pennant_operator.decide.seen.spec import Spec


def revision_today(spec: Spec, version: ModelVersion) -> str:
    """Its name."""
    return revision_of(
        registry=spec.watch.registry,
        model=version.name,
        version=version.version,
        created=version.created,
        serving=spec.serving,
        environment_check=spec.environment_check,
        image=version.image,
        environment=version.environment,
    )
