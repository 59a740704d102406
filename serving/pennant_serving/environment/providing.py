"""From a verified bundle to its environment on the volume: there, in the cache, or made."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_serving.bundle.staging import staging
from pennant_serving.environment import installing, uv_errors
from pennant_serving.environment.making import make
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.settings import BundleEnvironment
from pennant_serving.environment.uv import Uv
from pennant_serving.lifecycle.phases import Phases

if TYPE_CHECKING:  # most pods do without
    from pennant_serving.cache.settings import CacheSettings


def provide(
    wanted: BundleEnvironment,
    model_path: Path,
    phases: Phases,
    cache: CacheSettings | None = None,
) -> tuple[EnvironmentRecord, bool]:
    """Put the environment of the verified bundle there on the volume; say what it is, and whether
    it was there already, which costs no network call. Raises PodError."""
    with phases.phase("environment"):
        present = installing.verified(model_path)
    if present and (wanted.pinned is None or wanted.pinned.digest == present.digest):
        return present, True
    if cache is not None:
        from pennant_serving.cache.using import use
        from pennant_serving.environment.cached import CachedEnvironment

        linked = use(cache, CachedEnvironment(wanted, model_path, cache, phases))
        if linked is not None:
            return linked
    try:
        return _made(wanted, model_path, phases), False
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise uv_errors.fault(f"error: {error.strerror} (os error {error.errno})") from error


def _made(wanted: BundleEnvironment, model_path: Path, phases: Phases) -> EnvironmentRecord:
    with staging(model_path.parent / ".incoming-environment") as folder:
        packages, record = make(wanted, model_path, Uv(wanted.indexes, folder), phases)
        installing.publish(packages, record, model_path)
    return record
