"""What every series of moves shares: the model, the toolbox, and traffic on what serves it."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.rollout import timeline
from bench.rollout.sightings import Sightings
from newsreco.loadgen_report import Row
from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.traffic import Traffic
from pennant_dev.shell import DevError, wait_until

HERE = Path(__file__).parent
MODEL = "bench-rollout"
FEATURES = 20
ROW = {"columns": [f"f{n}" for n in range(FEATURES)], "data": [[0.1] * FEATURES]}
QUESTION = (
    "--path=/invocations",
    f"--body={json.dumps({'dataframe_split': ROW})}",
    "--marker=predictions",
)
REQUESTS_PER_SECOND = 50
"""Requests a second: one every 20 ms, on a fresh and on a kept connection in turn."""
MOVE_DEADLINE_SECONDS = 120.0
"""Seconds for a move to be seen; beyond, the run ends."""
FOLLOW_UP_SECONDS = 3.0
"""Seconds after the first new answer in which kept connections should have moved too."""


class Bench:
    """One cluster and one model in its registry, whose version n answers 10n or 10n + 1."""

    def __init__(self, kube: Kube, sightings: Sightings) -> None:
        self.kube = kube
        self.sightings = sightings

    def register(self, count: int) -> None:
        """The model's versions."""
        words = ("exec", "--stdin", setup.TOOLBOX, f"--namespace={NAMESPACE}", "--")
        script = (HERE / "registered.py").read_text()
        output = self.kube(*words, "python", "-", MODEL, str(count), stdin=script)
        if output.split()[-1:] != [str(count)]:
            raise DevError(f"{count} versions were to be registered: {output[-2000:]}")

    def point(self, alias: str, version: int) -> float:
        """Move an alias; when the request was sent."""
        code, words = (HERE / "alias.py").read_text(), (MODEL, alias, str(version))
        output = self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", code, *words)
        return float(output)

    @contextmanager
    def traffic(self, name: str, rate: int = REQUESTS_PER_SECOND) -> Iterator[Traffic]:
        """Predictions of a Service, asked for all along from a pod of its own."""
        url = f"http://{name}.{NAMESPACE}.svc.cluster.local"
        flow = Traffic(self.kube, url, rate, name=f"load-{name}", options=QUESTION)
        try:
            flow.start()
            yield flow
        finally:
            flow.stop()

    def answered(self, traffic: Traffic, asked: float, old: int, new: int) -> dict[str, Any]:
        """Wait for the new version's answers, and for the last of the old; what clients saw."""

        def seen() -> dict[str, Any]:
            rows = versioned(
                itertools.takewhile(lambda r: r.finished >= asked, reversed(traffic.rows))
            )
            return timeline.seen_by_clients(rows, asked, str(old), str(new))

        silent = f"version {new} does not answer"
        wait_until(lambda: seen()["answered"] is not None, silent, MOVE_DEADLINE_SECONDS)
        traffic.flows_until(time.time() + FOLLOW_UP_SECONDS)
        return seen()


def versioned(rows: Iterable[Row]) -> list[Row]:
    """Rows with the version that their predictions tell, whoever served them."""
    return [row._replace(version=_version_of(row.marker)) for row in rows]


def pause(longest: float) -> None:
    """Let no move begin at the same point of anybody's period."""
    time.sleep(random.uniform(0, longest))


def settled(look: Callable[[], bool], what: str) -> None:
    """Wait until nothing of the last move is under way, without working the machine for it."""
    wait_until(look, what, MOVE_DEADLINE_SECONDS, poll=0.5)


def _version_of(marker: str) -> str:
    digits = marker.strip("[]")
    return str(int(digits) // 10) if digits.isdigit() else ""
