"""What `serve` does where its bundle or environment is a link into the cache: it has them in use,
for its life."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pennant_serving.cache import entries, locks
from pennant_serving.failures import PodError, Reason


def hold(links: Iterable[Path]) -> None:
    """Until this process and all that it forks have ended. Raises PodError where a link leads
    nowhere."""
    for link in links:
        _hold(link)


def _hold(link: Path) -> None:
    files = link.readlink()
    try:
        locks.wait(files.parent / entries.RECORD, locks.SHARED, entries.LOCK_SECONDS)
    except FileNotFoundError:
        pass
    except OSError as error:  # it stays for an hour by its last use
        print(f"{files} is used without a lock: {error}", flush=True)
    if not files.is_dir():
        raise PodError(
            Reason.DOWNLOAD_FAILED,
            f"{link} leads to {files} in the cache, and that is not there any more: somebody"
            " removed it, or the claim is another; delete the pod, and the next one fetches it",
        )
