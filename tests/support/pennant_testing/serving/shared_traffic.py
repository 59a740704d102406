"""Two real serving processes: one whose traffic file says what goes to the other."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.linear_model import LinearRegression

from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.serving_process import JSON, Serving, serving

BODY = json.dumps({"instances": [[1.0, 2.0]]})


@dataclass
class SharingPod:
    """Version 7, which has a traffic file."""

    pod: Serving
    file: Path

    def asks(self, **content: Any) -> None:
        """Another content, put in the place of the one before as the kubelet does."""
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(content) if content else "")
        new.replace(self.file)

    def hands_over(self, to: int, percent: str, **more: Any) -> None:
        """A share, to the port of a candidate."""
        share = {"to": f"127.0.0.1:{to}", "revision": "r8", "version": "8", "percent": percent}
        self.asks(handOver=share | more)

    def mirrors(self, to: int, percent: str = "100") -> None:
        """A share, to the port of a challenger."""
        self.asks(mirror={"to": f"127.0.0.1:{to}", "percent": percent})

    def report(self, seconds: int = 300) -> dict[str, Any]:
        """Of the answers."""
        content: dict[str, Any] = json.loads(
            self.pod.request(f"/metrics/answers?seconds={seconds}")[2]
        )
        return content

    def versions(self, times: int, *, pooled: bool = True, **headers: str) -> Counter[str]:
        """Which versions answered so many requests, all of them with 200."""
        answered: Counter[str] = Counter()
        with contextlib.closing(_Client(self.pod, pooled=pooled)) as client:
            for _ in range(times):
                status, version, _ = client.ask(headers)
                assert status == 200
                answered[version] += 1
        return answered

    def is_shared(self) -> bool:
        """Whether the file has been read: somebody else answers one of so many."""
        return "8" in self.versions(200)


class _Client:
    def __init__(self, pod: Serving, *, pooled: bool) -> None:
        self._pod = pod
        self._pooled = pooled
        self._connection = pod.connect()

    def ask(self, headers: dict[str, str]) -> tuple[int, str, bytes]:
        self._connection.request("POST", "/invocations", BODY, JSON | headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if not self._pooled:
            self._connection.close()
        versions = answer.headers.get_all("x-pennant-version") or []
        return answer.status, " and ".join(versions), body

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def linear(folder: Path, version: str, slope: float = 1.0, **variables: str) -> Iterator[Serving]:
    """A pod that is ready, with a model of two columns."""
    place = folder / f"version-{version}"
    estimator = LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, slope, slope])
    signature = '[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}]'
    bundle = sklearn_bundle(place / "bundle", estimator, inputs=signature)
    on_volume(bundle, version=version)
    with serving(place, bundle, PENNANT_MODEL_VERSION=version, **variables) as pod:
        pod.wait_until("/v2/health/ready")
        yield pod


@contextlib.contextmanager
def sharing(folder: Path, **variables: str) -> Iterator[SharingPod]:
    """Version 7, ready, which is asked to share nothing yet."""
    file = folder / "traffic"
    file.write_text("")
    with linear(folder, "7", 1.0, PENNANT_TRAFFIC_FILE=str(file), **variables) as pod:
        yield SharingPod(pod, file)
