"""The property tests of the laws, with other examples than `make check` has, until time is up."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
from hypothesis.stateful import run_state_machine_as_test
from soak.report import Row

from pennant_testing.memory.chaos import Chaos

BATCH, STEPS = 25, 60  # examples between two looks at the clock; steps of each
UNIT = Path(__file__).resolve().parents[1] / "unit"


def run(minutes: float, seed: int) -> list[Row]:
    return [_random_lives(minutes, seed), _all_examples(minutes, seed)]


def _random_lives(minutes: float, seed: int) -> Row:
    """Operators in worlds that do as they like (pennant_testing/memory/chaos.py)."""
    settings = hypothesis.settings(
        hypothesis.settings.get_profile("all"),
        max_examples=BATCH,
        stateful_step_count=STEPS,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    began, violations, batches = time.monotonic(), [], 0
    for batch in itertools.count():
        if time.monotonic() - began >= minutes * 60:
            break
        hypothesis.seed(seed + batch)(Chaos)
        try:
            run_state_machine_as_test(Chaos, settings=settings)
        except Exception as error:  # noqa: BLE001 - whatever a law or a fault in `plan` raises
            violations.append(f"seed {seed + batch}: {error!r}")
        batches += 1
        print(f"laws: {batches * BATCH} lives", flush=True)
    how_many = f"{batches * BATCH} random lives of {STEPS} steps"
    options, took = f"--laws-minutes {minutes:g} --seed {seed}", time.monotonic() - began
    return Row("laws, in memory", options, took, how_many, violations)


def _all_examples(minutes: float, seed: int) -> Row:
    """The unit tests with all the examples that they name (running/generated_examples.py)."""
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", UNIT, f"--hypothesis-seed={seed}"],
        env={**os.environ, "PENNANT_EXAMPLES": "1"},
        capture_output=True,
        text=True,
    )
    last_line = ran.stdout.strip().splitlines()[-1]
    violations = [ran.stdout] if ran.returncode else []
    options, took = f"--laws-minutes {minutes:g} --seed {seed}", time.monotonic() - began
    return Row("unit tests, all examples", options, took, last_line, violations)
