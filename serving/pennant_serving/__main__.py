"""`python -m pennant_serving`: settings -> port -> server and model -> exit code."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

from pennant_serving.environ import Environ, SettingsError, termination_log
from pennant_serving.environment.overlay import activate
from pennant_serving.environment.record import environment_path
from pennant_serving.failures import PodError, Reason, print_cause, report_failure
from pennant_serving.http.listener import listen
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.process.starter import given
from pennant_serving.settings import THREADS, Settings


def main(variables: MutableMapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        _follow_links(variables)
        # Before anything is imported that it may have in another version: so far it was the
        # standard library, and what is ours.
        environment = activate(variables)
        settings = Settings.from_env(variables)
        if environment is not None:
            settings = replace(settings, environment=environment.digest)
        # Before any library is loaded: they count the node's processors, not the container's.
        variables[THREADS] = str(settings.threads)
        _serve(settings)
    except PodError as error:
        return _failed(error, variables)
    except (SettingsError, OSError) as error:
        failure = PodError(Reason.START_FAILED, f"the server could not start: {error}")
        return _failed(failure, variables)
    return 0


def _follow_links(variables: Mapping[str, str]) -> None:
    """What lies in a cache is in use from here on. Raises PodError where it is not there."""
    model_path = Path(Environ(variables).text("PENNANT_MODEL_PATH", "/models/bundle"))
    links = [path for path in (model_path, environment_path(model_path)) if path.is_symlink()]
    if links:
        from pennant_serving.cache.following import hold  # most pods have no cache

        hold(links)


def _serve(settings: Settings) -> None:
    print(settings, flush=True)
    gc.disable()  # until it is ready: what is imported and loaded stays
    # Probes that come during the imports wait in its queue.
    listener = given(settings.listener_fd) if settings.listener_fd else listen(settings.port)
    from pennant_serving.process.run import run
    from pennant_serving.process.workers import supervise

    phases = Phases()
    phases.imported()
    if settings.environment:
        phases.note("environment", settings.environment)
    if settings.workers > 1:
        supervise(settings, listener, phases)
    else:
        run(settings, listener, phases)


def _failed(error: PodError, variables: Mapping[str, str]) -> int:
    print_cause(error)
    report_failure(error, termination_log(variables))
    return 1


def _terminated(signum: int, _frame: FrameType | None) -> None:
    """Process 1 of a container ignores signals that it does not handle. The server drains instead,
    as soon as there is one."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    code = main(os.environ)  # noqa: TID251 - the one place that reads it
    sys.stdout.flush()
    # A thread that is stuck in a model's code must not keep the process from ending.
    os._exit(code)
