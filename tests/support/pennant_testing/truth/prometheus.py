"""Prometheus itself, asked what it makes of numbers (dev/programs/promrules)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

from pennant_dev.binaries import ensure

Labels: TypeAlias = dict[str, str]


class Question(NamedTuple):
    """Series as in promtool's tests, with their values minute by minute.

    The last minute comes last, and is that of the expressions.
    """

    series: Sequence[str]
    minutes: Sequence[int] = (10,)
    exprs: Sequence[str] = ()


class Answer(NamedTuple):
    """What fires, by minute; what each expression is."""

    alerts: dict[int, list[dict[str, Labels]]]
    values: dict[str, list[tuple[Labels, float]]]


def answers(rules: dict[str, Any], questions: Sequence[Question]) -> list[Answer]:
    """By the rules of a PrometheusRule's spec.

    CalledProcessError where Prometheus cannot read them, or a question: it has said why.
    """
    program = ensure("promrules")["promrules"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(json.dumps(rules))
        lines = "\n".join(json.dumps(each._asdict()) for each in questions)
        command, pipe = [program, file], subprocess.PIPE
        process = subprocess.run(command, input=lines, stdout=pipe, text=True, check=True)
    return [_answer(json.loads(line)) for line in process.stdout.splitlines()]


def _answer(line: dict[str, Any]) -> Answer:
    alerts = {int(minute): fired for minute, fired in line["alerts"].items()}
    values = {
        expr: [(each["labels"], float(each["value"])) for each in samples]
        for expr, samples in line["values"].items()
    }
    return Answer(alerts, values)


def scraped(text: str, **target: str) -> Iterator[str]:
    """Series of what /metrics answers, for ten minutes: what counts grows by its value in each.

    `target` is what Prometheus knows of who answered; its words win.
    """
    for family in text_string_to_metric_families(text):
        counts = family.type in {"counter", "histogram", "summary"}
        for sample in family.samples:
            labels = ", ".join(
                f"{name}={json.dumps(value)}" for name, value in (sample.labels | target).items()
            )
            start, step = (0.0, sample.value) if counts else (sample.value, 0.0)
            yield f"{sample.name}{{{labels}}} {start}+{step}x10"
