"""`python -m pennant_serving.process.trial REPORT`: what a pod does with a bundle, without a port.

`pennant check` runs it on the machine of whoever promotes, with the settings of `serve`: what the
bundle asks for is held against what is installed, then it is loaded and answers its own example.
The file gets one JSON object, which is complete as far as the process came: what differs first,
then the notes of the start, or the reason why a pod would end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from pennant_serving.environ import SettingsError
from pennant_serving.failures import PodError, Reason, print_cause


def main(variables: MutableMapping[str, str], report: Path) -> int:
    """Try the bundle; the exit code."""
    known: dict[str, Any] = {}
    try:
        _try(variables, known, report)
    except PodError as error:
        print_cause(error)
        _write(report, known | {"reason": error.reason.value, "message": error.message})
        return 1
    except SettingsError as error:
        _write(report, {"reason": Reason.START_FAILED.value, "message": str(error)})
        return 1
    return 0


def _try(variables: MutableMapping[str, str], known: dict[str, Any], report: Path) -> None:
    """Raises PodError, and SettingsError."""
    try:
        from pennant_serving.adapters import differences, loading
        from pennant_serving.bundle.bundle import Bundle
        from pennant_serving.bundle.mlmodel import read_mlmodel
        from pennant_serving.fast.lane import FastLane
        from pennant_serving.http.endpoints.own import AdapterRoutes
        from pennant_serving.lifecycle.lifecycle import Lifecycle
        from pennant_serving.lifecycle.phases import Phases
        from pennant_serving.metrics.telemetry import Telemetry
        from pennant_serving.process.startup import Loaded, bring_up
        from pennant_serving.settings import THREADS, Settings
    except ModuleNotFoundError as error:
        _write(report, {"missing": error.name})
        return
    settings, phases = Settings.from_env(variables), Phases()
    variables[THREADS] = str(settings.threads)
    try:
        bundle = Bundle(settings.model_path, read_mlmodel(settings.model_path))
    except (OSError, ValueError, KeyError) as error:
        message = f"the bundle at {settings.model_path} cannot be read: {error}"
        raise PodError(Reason.LOAD_FAILED, message) from error
    known["differences"] = differences.checked(bundle, "Warn")
    _write(report, known)
    loaded = Loaded(bundle, loading.load(settings.adapter, bundle, settings.threads))
    lane = FastLane(Telemetry(settings.model, settings.version, phases))
    asyncio.run(bring_up(settings, Lifecycle(), AdapterRoutes(), lane, loaded))
    _write(report, known | {"notes": json.loads(phases.line("ready"))["notes"]})


def _write(report: Path, known: dict[str, Any]) -> None:
    unfinished = report.with_suffix(".tmp")
    unfinished.write_text(json.dumps(known))
    unfinished.replace(report)  # a process that is killed leaves a whole one


if __name__ == "__main__":
    code = main(os.environ, Path(sys.argv[1]))  # noqa: TID251 - the one place that reads it
    sys.stdout.flush()
    # A thread that is stuck in a model's code must not keep the process from ending.
    os._exit(code)
