"""`python -m pennant_serving.fetch`: settings -> fetch -> one termination message."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

from pennant_serving.bundle.manifest import Manifest
from pennant_serving.environ import SettingsError, termination_log
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.report import report
from pennant_serving.failures import PodError, Reason, report_failure, report_success
from pennant_serving.fetch import fetch, fetch_environment
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.fetch.web import same_server
from pennant_serving.lifecycle.phases import Phases, age


def main(variables: MutableMapping[str, str]) -> int:
    """Fetch what the environment asks for; the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    phases = Phases()
    phases.imported()
    log = termination_log(variables)
    try:
        settings = _settings(variables)
        if not same_server(settings.registry_url, settings.source):
            _forget_credentials(variables)
        manifest, cached = fetch(settings, phases)
        environment, installed = fetch_environment(settings, phases)
    except PodError as error:
        report_failure(error, log)
        return 1
    except OSError as error:  # the network's are PodErrors by now: this is the volume
        problem = f"the volume cannot be written: {error}: see serving.storage"
        report_failure(PodError(Reason.DOWNLOAD_FAILED, problem), log)
        return 1
    _report(manifest, environment, log, cached=cached and installed)
    if environment is not None:
        phases.note("environment", environment.digest)
    print(phases.line("fetched"), flush=True)
    return 0


def _report(
    manifest: Manifest, environment: EnvironmentRecord | None, log: Path, *, cached: bool
) -> None:
    seconds = round(age(), 3)
    facts: dict[str, Any] = {
        "digest": manifest.digest,
        "version": manifest.version,
        "bytes": manifest.bytes,
        "seconds": seconds,
        "cached": cached,
    }
    if environment is not None:
        facts["environment"] = report(environment)
    report_success(facts, log)
    where = "found on the volume" if cached else f"fetched from {manifest.source}"
    print(
        f"{manifest.model} version {manifest.version} {where}: {manifest.files} files,"
        f" {manifest.bytes} bytes, sha256 {manifest.digest}, {seconds} s",
        flush=True,
    )
    if environment is not None:
        print(
            f"environment for Python {environment.python}: {environment.packages} packages,"
            f" {environment.bytes} bytes, sha256 {environment.digest}",
            flush=True,
        )


def _settings(variables: Mapping[str, str]) -> FetchSettings:
    try:
        return FetchSettings.from_env(variables)
    except SettingsError as error:
        # Not the model's fault, and this reason is one that the operator waits on.
        raise PodError(Reason.DOWNLOAD_FAILED, str(error)) from error


def _forget_credentials(variables: MutableMapping[str, str]) -> None:
    """MLflow's client would send the registry's to whatever http address a source names."""
    for name in [each for each in variables if each.startswith("MLFLOW_TRACKING_")]:
        del variables[name]


def _terminated(signum: int, _frame: FrameType | None) -> None:
    """Process 1 of a container ignores signals that it does not handle.

    At once, without the threads that wait for a store: what is staged is of no use to anybody.
    """
    os._exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(os.environ))  # noqa: TID251 - the one place that reads it
