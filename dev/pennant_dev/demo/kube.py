"""kubectl, as functions: every look at the cluster and every change to it goes through here."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pennant_dev.shell import DevError, run

Object = dict[str, Any]
T = TypeVar("T")


class Kube:
    """kubectl on one cluster."""

    def __init__(self, kubectl: str | Path, kubeconfig: Path) -> None:
        self._base = [str(kubectl), f"--kubeconfig={kubeconfig}"]

    def __call__(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """Standard output of one kubectl command; DevError when it fails."""
        return run([*self._base, *words], stdin=stdin, check=check)

    def stream(
        self, *words: str, take: Callable[[Iterable[str]], None], writable: bool = False
    ) -> "Stream":
        """A kubectl command that goes on; `take` gets its lines, in a thread of its own.

        `writable`: lines may be written to its standard input (`Stream.write_line`).
        """
        return Stream([*self._base, *words], take, writable=writable)

    def apply(self, folder: Path) -> None:
        """Apply a kustomization."""
        self("apply", "--server-side", "--force-conflicts", "-k", str(folder))

    def create(self, thing: Object) -> None:
        """Create one object."""
        self("create", "-f", "-", stdin=json.dumps(thing))

    def get(self, kind: str, name: str, namespace: str) -> Object | None:
        """One object, or None when it does not exist."""
        words = ("get", kind, name, f"--namespace={namespace}", "--ignore-not-found", "-o", "json")
        output = self(*words)
        thing: Object | None = json.loads(output) if output.strip() else None
        return thing

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        """Objects of a kind in a namespace, by label selector."""
        output = self(
            "get", kind, f"--namespace={namespace}", f"--selector={selector}", "-o", "json"
        )
        items: list[Object] = json.loads(output)["items"]
        return items

    def execute(self, namespace: str, pod: str, *command: str, container: str = "") -> str:
        """Standard output of a command inside a pod."""
        where = [f"--namespace={namespace}", pod]
        if container:
            where.append(f"--container={container}")
        return self("exec", *where, "--", *command)

    def rolled_out(self, deployment: str, namespace: str, seconds: float) -> None:
        """Wait until a Deployment's pods are its newest and available."""
        self("rollout", "status", f"deployment/{deployment}", f"--namespace={namespace}",
             f"--timeout={seconds:.0f}s")  # fmt: skip

    def wait_for(self, jsonpath: str, kind: str, name: str, namespace: str, seconds: float) -> None:
        """Wait until a path exists, or has a value (`{.status.phase}=Running`).

        One watch, not many reads: on a small machine the waiting would slow what it waits for.
        """
        self("wait", f"--for=jsonpath={jsonpath}", f"{kind}/{name}", f"--namespace={namespace}",
             f"--timeout={seconds:.0f}s")  # fmt: skip

    def pod_is(self, phase: str, name: str, namespace: str, seconds: float = 60) -> None:
        """Wait for a pod's phase."""
        self.wait_for(f"{{.status.phase}}={phase}", "pod", name, namespace, seconds)

    def finished(self, job: str, namespace: str, seconds: float) -> str:
        """Wait for a Job; its log. DevError with the log's end when it failed."""
        self.wait_for("{.status.conditions[0].type}", "job", job, namespace, seconds)
        finished = self.get("job", job, namespace) or {}
        log = self("logs", f"job/{job}", f"--namespace={namespace}", "--tail=-1")
        if any(each["type"].startswith("Fail") for each in finished["status"]["conditions"]):
            raise DevError(f"job {namespace}/{job} failed: {log.strip()[-2000:]}")
        return log


class Stream:
    """A running command whose lines are taken as they come; half a line at its end is none."""

    def __init__(
        self, command: list[str], take: Callable[[Iterable[str]], None], *, writable: bool
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if writable else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        lines = (line for line in self._process.stdout or () if line.endswith("\n"))
        self._reader = threading.Thread(target=take, args=(lines,), daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether the command ended by itself."""
        return self._process.poll() is not None

    def write_line(self, line: str) -> None:
        """Write a line to the command's standard input."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """End the command and the reading of it."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def poll(look: Callable[[], T], what: str, seconds: float, interval: float = 0.5) -> T:
    """The first true value of `look`; DevError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        if time.monotonic() > deadline:
            raise DevError(f"{what}: still waiting after {seconds:.0f} s")
        time.sleep(interval)
    return value
