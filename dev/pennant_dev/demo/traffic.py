"""Steady traffic from a pod inside the cluster, followed from here."""

from collections import Counter
from collections.abc import Iterable, Sequence

from newsreco.loadgen_report import Row, parse_line
from pennant_dev.demo.kube import Kube, Stream
from pennant_dev.demo.pods import NAMESPACE, pod
from pennant_dev.shell import DevError, wait_until

POD = "loadgen"
REQUESTS_PER_SECOND = 60
RUN_SECONDS = 1200
READERS = tuple(f"--path=/recommend/U{number}" for number in range(101, 113))
"""Asked for in turn: what is wrong for a third of them is wrong for a third of the requests."""


class Traffic:
    """The load generator's pod and every row that it has printed so far."""

    def __init__(
        self,
        kube: Kube,
        url: str,
        rate: int = REQUESTS_PER_SECOND,
        *,
        name: str = POD,
        node: str = "",
        options: Sequence[str] = (),
    ) -> None:
        self._kube = kube
        self._url = url
        self._rate = rate
        self._name = name
        self._node = node
        self._options = options
        self._rows: list[Row] = []
        self._logs: Stream | None = None

    @property
    def rows(self) -> list[Row]:
        """A copy of the rows so far."""
        return list(self._rows)

    def describe(self) -> str:
        """What `start` starts, for a person."""
        return f"traffic: {self._rate} requests per second, half on fresh, half on kept connections"

    def start(self) -> None:
        """Start the pod and wait for its first rows."""
        options = [f"--url={self._url}", f"--rate={self._rate}", f"--seconds={RUN_SECONDS}"]
        options += self._options
        command = ["python", "-m", "newsreco.loadgen", *options]
        self._kube.create(pod(self._name, command, self._node))
        self._kube.pod_is("Running", self._name, NAMESPACE)
        words = ("logs", "--follow", self._name, f"--namespace={NAMESPACE}")
        self._logs = self._kube.stream(*words, take=self._follow)
        wait_until(lambda: bool(self._rows), "the load generator printed nothing", seconds=30)

    def _follow(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._rows.extend(parse_line(line))

    def flows_until(self, time: float) -> None:
        """Wait until the traffic of that time (Unix seconds) has been reported."""

        def reported() -> bool:
            if self._logs is None or self._logs.ended:
                raise DevError("the load generator's log ended; look at: kubectl -n "
                               f"{NAMESPACE} logs {self._name}")  # fmt: skip
            return bool(self._rows) and self._rows[-1].finished >= time

        wait_until(reported, "the load generator fell silent", seconds=30)

    def stop(self) -> None:
        """End the pod and the reading of its log; the rows stay."""
        self._kube("delete", "pod", self._name, f"--namespace={NAMESPACE}", "--ignore-not-found")
        if self._logs is not None:
            self._logs.stop()


def by_version(rows: list[Row]) -> str:
    """`v1: 312, v2: 40, failed: 0`."""
    counts = Counter("failed" if row.failed else f"v{row.version}" for row in rows)
    failed = counts.pop("failed", 0)
    return (
        ", ".join(f"{name}: {counts[name]}" for name in [*sorted(counts)]) + f", failed: {failed}"
    )
