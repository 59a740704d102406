"""Real serving processes that answer badly: some fail, some dawdle."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pennant_testing.serving.adapters import MOODY
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.serving_process import Serving, serving


@contextlib.contextmanager
def moody(
    folder: Path,
    version: str = "7",
    *,
    model: str = "iris",
    every: int = 0,
    seconds: float = 0.0,
    requirements: str = "",
    **variables: str,
) -> Iterator[Serving]:
    """A pod of which each so many-th answer is a 500, after so many seconds; ready when yielded."""
    place = folder / f"{model}-{version}"
    bundle = place / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "mood.json").write_text(json.dumps({"every": every, "seconds": seconds}))
    (bundle / "requirements.txt").write_text(requirements)
    on_volume(bundle, model=model, version=version)
    env = {
        "PENNANT_ADAPTER": MOODY,
        "PENNANT_MODEL_NAME": model,
        "PENNANT_MODEL_VERSION": version,
        "PENNANT_BATCH_MAX_ROWS": "1",
    }
    with serving(place, bundle, **env | variables) as pod:
        pod.wait_until("/v2/health/ready")
        yield pod


@contextlib.contextmanager
def asked(pod: Serving) -> Iterator[None]:
    """Somebody asks it, again and again, until the end."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.05):
            ask(pod, 1)

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(go_on)
        try:
            yield
        finally:
            over.set()
            asking.result()


def ask(pod: Serving, times: int, body: object = None) -> list[int]:
    """The statuses of so many requests, one after the other."""
    sent = {"instances": [1.0]} if body is None else body
    return [pod.request("/invocations", sent)[0] for _ in range(times)]
