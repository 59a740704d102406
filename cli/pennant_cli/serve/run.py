"""`pennant serve`, run: a folder, a socket, and a loop until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from pathlib import Path

from pennant_cli.serve.bundles import Bundles
from pennant_cli.serve.following import Following
from pennant_cli.serve.order import Order
from pennant_cli.serve.server import check_installed


def run(order: Order) -> None:
    """Serve until SIGINT or SIGTERM. Raises CommandError and RegistryError where nothing can, and
    BrokenPipeError where nobody reads what it prints."""
    check_installed()
    # A download that was left in its midst may still write.
    place = tempfile.TemporaryDirectory(prefix="pennant-serve-", ignore_cleanup_errors=True)
    with place as folder, order.listen() as listener:
        try:
            asyncio.run(Following(order, Bundles(order.target, Path(folder)), listener).run())
        except ExceptionGroup as failed:  # of tasks
            if failed.subgroup(BrokenPipeError) is None:
                raise
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from failed
