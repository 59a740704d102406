"""A bundle is tried as a pod would try it: by the server's own code, in a process of its own.

The bundle's code runs there as who calls it, without what gives access to the registry.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pennant_cli.checks.findings import Finding, Verdict
from pennant_cli.version_names import VersionName
from pennant_registry.durations import format_duration

SHOWN_LINES = 20
"""Of what the process wrote, where it failed."""


@dataclass(frozen=True)
class Trial:
    """What a person asks for, in the words of spec.serving."""

    adapter: str = "auto"
    self_test: str = "IfPresent"
    environment_check: str = "Warn"
    deadline: timedelta = timedelta(minutes=5)


def tried(bundle: Path, of: VersionName, trial: Trial, place: Path) -> list[Finding]:
    """Its environment and its self-test, with `place`, a folder, for what the process leaves."""
    report, log = place / "report.json", place / "log"
    command = [sys.executable, "-m", "pennant_serving.process.trial", str(report)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=_variables(bundle, of, trial),
            stdin=subprocess.DEVNULL,  # as in a pod: what is there is for the caller to read
            stdout=output,
            stderr=output,
        )
        try:
            code = process.wait(trial.deadline.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
    known = json.loads(report.read_text()) if report.is_file() else {}
    if code != 0:
        _show_end(log)
    return _findings(known, code, trial)


def _variables(bundle: Path, of: VersionName, trial: Trial) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - handed on to the process
        if not name.startswith(("MLFLOW_", "PENNANT_"))
    }
    return inherited | {
        "PENNANT_MODEL_NAME": of.model,
        "PENNANT_MODEL_VERSION": str(of.version),
        "PENNANT_MODEL_PATH": str(bundle if bundle.is_dir() else bundle.parent),
        "PENNANT_ADAPTER": trial.adapter,
        "PENNANT_SELF_TEST": trial.self_test,
    }


def _findings(known: dict[str, Any], code: int | None, trial: Trial) -> list[Finding]:
    if "missing" in known:
        message = f"the server's code needs {known['missing']}, which is not installed here"
        remedy = "pip install 'pennant[cli,serving]'"
        return [Finding("self-test", Verdict.UNKNOWN, message, remedy)]
    return [*_environment(known, trial), _self_test(known, code, trial)]


def _environment(known: dict[str, Any], trial: Trial) -> list[Finding]:
    if trial.environment_check == "Off" or "differences" not in known:
        return []
    differences = known["differences"]
    if not differences:
        return [Finding("environment", Verdict.OK, "what the bundle asks for is installed here")]
    verdict = Verdict.PROBLEM if trial.environment_check == "Strict" else Verdict.WARNING
    message = f"the bundle asks for {differences}"
    remedy = "check it where its pods' packages are, or save the model again with these"
    return [Finding("environment", verdict, message, remedy)]


def _self_test(known: dict[str, Any], code: int | None, trial: Trial) -> Finding:
    if "message" in known:
        return Finding("self-test", Verdict.PROBLEM, f"{known['reason']}: {known['message']}")
    if "notes" in known:
        notes = known["notes"]
        return Finding("self-test", Verdict.OK, f"{notes['self-test']}; {notes['load']}")
    if code is None:
        after = format_duration(trial.deadline)
        message = f"it was not done after {after}"
        return Finding("self-test", Verdict.PROBLEM, message, "give it longer with --deadline")
    ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    remedy = "see what it wrote, on standard error"
    return Finding("self-test", Verdict.PROBLEM, f"its process ended with {ended}", remedy)


def _show_end(log: Path) -> None:
    lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    print(*lines, sep="\n", file=sys.stderr)
