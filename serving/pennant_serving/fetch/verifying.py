"""Whether what is to be fetched may be, and whether what was fetched is what was registered."""

from __future__ import annotations

from pathlib import Path

from pennant_registry import digest, sources
from pennant_serving.bundle.manifest import Manifest
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import FetchSettings


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
