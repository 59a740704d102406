"""The init container: a verified bundle on the volume, or one reason why not.

A complete bundle that verifies is used as it is, without any network call. Otherwise the source,
which the operator resolved, is checked against the allowed prefixes before anything else happens;
then it is downloaded beside its final place, verified, and moved there. The manifest comes last.
The environment that the bundle asks for, where it is to have one of its own, goes the same way.
Where pods share a cache, either is linked or copied from there, and made there if it is not.
"""

from __future__ import annotations

from pennant_serving.bundle.manifest import Manifest
from pennant_serving.bundle.staging import staging
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.removing import remove
from pennant_serving.fetch import download, volume
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.fetch.verifying import check_digest, check_source, describe
from pennant_serving.lifecycle.phases import Phases


def fetch(settings: FetchSettings, phases: Phases | None = None) -> tuple[Manifest, bool]:
    """Put the bundle on the volume; say what it is, and whether it was there already.

    Raises PodError.
    """
    with volume.alone(settings.model_path):
        return _fetch(settings, phases or Phases())


def fetch_environment(
    settings: FetchSettings, phases: Phases
) -> tuple[EnvironmentRecord | None, bool]:
    """Put the environment that the bundle there asks for beside it; say what it is, and whether it
    was there already. None when the image's packages serve the bundle.

    Raises PodError.
    """
    if settings.environment is None:
        return None, True
    # Here, because it takes as long to import as all the rest, and most pods do without.
    from pennant_serving.environment.providing import provide

    with volume.alone(settings.model_path):
        return provide(settings.environment, settings.model_path, phases, settings.cache)


def _fetch(settings: FetchSettings, phases: Phases) -> tuple[Manifest, bool]:
    with phases.phase("verify"):
        present = volume.verified(settings.wanted, settings.model_path)
    if present:
        check_digest(present.digest, settings)
        return present, True
    check_source(settings.source, settings.allowed_sources)
    if settings.cache is not None:
        from pennant_serving.cache.using import use
        from pennant_serving.fetch.cached import CachedBundle

        bundle_there = use(settings.cache, CachedBundle(settings, settings.cache, phases))
        if bundle_there is not None:
            return bundle_there
    with staging(settings.model_path.parent / ".incoming") as folder:
        bundle = download.to_folder(settings, folder, phases)
        with phases.phase("verify"):
            volume.strip(bundle)
            manifest = describe(settings, bundle)
        check_digest(manifest.digest, settings)
        remove(settings.model_path)  # it was another bundle's
        volume.publish(folder, manifest, settings.model_path)
    return manifest, False
