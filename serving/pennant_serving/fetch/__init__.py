"""The init container: a verified bundle on the volume, or one reason why not.

A complete bundle that verifies is used as it is, without any network call. Otherwise the source,
which the operator resolved, is checked against the allowed prefixes before anything else happens;
then it is downloaded beside its final place, verified, and moved there. The manifest comes last.
The environment that the bundle asks for, where it is to have one of its own, goes the same way.
"""

from __future__ import annotations

from pathlib import Path

from pennant_registry import digest, sources
from pennant_serving.bundle.manifest import Manifest
from pennant_serving.bundle.staging import staging
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.removing import remove
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import download, volume
from pennant_serving.fetch.settings import FetchSettings
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
        return provide(settings.environment, settings.model_path, phases)


def _fetch(settings: FetchSettings, phases: Phases) -> tuple[Manifest, bool]:
    with phases.phase("verify"):
        present = volume.verified(settings.wanted, settings.model_path)
    if present:
        check_digest(present.digest, settings)
        return present, True
    check_source(settings.source, settings.allowed_sources)
    with staging(settings.model_path.parent / ".incoming") as folder:
        bundle = download.to_folder(settings, folder, phases)
        with phases.phase("verify"):
            volume.strip(bundle)
            manifest = describe(settings, bundle)
        check_digest(manifest.digest, settings)
        remove(settings.model_path)  # it was another bundle's
        volume.publish(folder, manifest, settings.model_path)
    return manifest, False


def check_source(source: str, allowed: tuple[str, ...]) -> None:
    """Raises PodError unless it may be fetched, by the rule that the operator went by."""
    if problem := sources.problem(source, allowed):
        raise PodError(Reason.SOURCE_NOT_ALLOWED, f"source {source!r} {problem}")


def describe(settings: FetchSettings, bundle: Path) -> Manifest:
    """What was downloaded, by the bytes that are on the disk. Raises PodError."""
    files = [path for path in bundle.rglob("*") if path.is_file()] if bundle.is_dir() else [bundle]
    if not files:  # its digest would be that of an empty file
        raise PodError(Reason.BUNDLE_MISSING, f"there is nothing at {settings.source}")
    return Manifest(
        model=settings.wanted.model,
        version=settings.wanted.version,
        source=settings.wanted.source,
        digest=_digest(settings, bundle),
        kind="folder" if bundle.is_dir() else "file",
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
    )


def _digest(settings: FetchSettings, bundle: Path) -> str:
    try:
        return digest.of_path(bundle)
    except ValueError as error:  # a store's library made something else than files and folders
        raise PodError(Reason.DOWNLOAD_FAILED, f"{settings.source}: {error}") from error


def check_digest(actual: str, settings: FetchSettings) -> None:
    """Raises PodError when the bytes are not those that were registered, or pinned."""
    for origin, expected in settings.expected_digests:
        if expected != actual:
            raise PodError(
                Reason.DIGEST_MISMATCH,
                f"version {settings.wanted.version} of {settings.wanted.model} has digest {actual}"
                f" but {origin} says {expected}: its files in {settings.source} were changed after"
                " that was written; register them as a new version",
            )
