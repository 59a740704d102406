"""`python -m pennant_serving.lobby`: settings -> ports -> exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType

from pennant_serving.environ import SettingsError, termination_log
from pennant_serving.failures import PodError, Reason, report_failure
from pennant_serving.lobby.server import Lobby
from pennant_serving.lobby.settings import LobbySettings


def main(variables: Mapping[str, str]) -> int:
    """Pass requests on until SIGTERM; the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = LobbySettings.from_env(variables)
        print(settings, flush=True)
        asyncio.run(Lobby(settings).run())
    except (SettingsError, OSError) as error:
        failure = PodError(Reason.START_FAILED, f"the lobby could not start: {error}")
        report_failure(failure, termination_log(variables))
        return 1
    return 0


def _terminated(signum: int, _frame: FrameType | None) -> None:
    """Process 1 of a container ignores signals that it does not handle. The lobby drains instead,
    as soon as it listens."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(os.environ))  # noqa: TID251 - the one place that reads it
