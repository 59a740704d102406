"""`dev/cluster down` leaves nothing behind, and `up` starts over what an unclean stop left.

Runs a second cluster in a network namespace and a state folder of its own, about half a minute:
the shared cluster goes on. Only where the provider is `local`.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pennant_dev.binaries import ensure
from pennant_dev.cluster import choose
from pennant_dev.leftovers import processes
from pennant_dev.local import Local
from pennant_dev.settings import Settings
from pennant_dev.shell import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not isinstance(choose(Settings.from_env()), Local) or os.geteuid() != 0,
        reason="the provider here is kind, or this is not root",
    ),
]

REPOSITORY = Path(__file__).resolve().parents[2]
LEFT = "from pennant_dev.leftovers import leftovers; print('\\n'.join(leftovers()), end='')"

Run = Callable[..., str]


@pytest.fixture
def state() -> Iterator[Path]:
    # Not pytest's own folder: containerd's socket would have too long a path there.
    with tempfile.TemporaryDirectory(prefix="pennant-", dir="/var/lib") as folder:
        yield Path(folder)


@pytest.fixture
def run(state: Path) -> Iterator[Run]:
    """Runs commands in a network of their own, on the test's state folder."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    environment = {
        **os.environ,
        "PENNANT_CLUSTER": "local",
        "PENNANT_STATE": str(state),
        "PYTHONPATH": str(REPOSITORY / "dev"),
        "KUBECONFIG": str(state / "admin.kubeconfig"),
    }

    def inside(*words: str) -> str:
        enter = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", *words]
        done = subprocess.run(enter, env=environment, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
        return done.stdout

    own = Path("/proc/self/ns/net").readlink()
    try:
        wait_until(lambda: Path(f"/proc/{holder.pid}/ns/net").readlink() != own, "no namespace", 30)
        inside("ip", "link", "set", "lo", "up")
        yield inside
        inside(str(REPOSITORY / "dev/cluster"), "down")
    finally:
        holder.kill()
        holder.wait()


def test_a_stopped_cluster_leaves_nothing_even_after_an_unclean_stop(run: Run, state: Path):
    cluster = str(REPOSITORY / "dev/cluster")
    kubectl = str(ensure("kubelite")["kubelite"]), "kubectl"
    run(cluster, "up")
    _run_a_pod(run, *kubectl)
    assert "mount" in run("python3", "-c", LEFT)

    wait_until(lambda: not _killed(state), "killed processes are still there", 30)
    assert "interface pn0" in run("python3", "-c", LEFT)

    run(cluster, "up")
    assert run(*kubectl, "get", "pods", "--output=name") == ""
    _run_a_pod(run, *kubectl)

    run(cluster, "down")
    assert run("python3", "-c", LEFT) == ""
    assert run("ip", "-brief", "link", "show", "type", "veth") == ""
    assert run("ip", "route", "show") == ""
    assert run(cluster, "status") == "down\n"


def test_a_state_folder_of_another_cluster_is_left_alone(tmp_path: Path):
    # Settings are all that separates two clusters: nothing of the shared one is ours to end.
    assert processes(Settings(tmp_path, tmp_path, None).state) == []


def _killed(state: Path) -> int:
    """How many it were: what is killed may just have started others, or be gone."""
    running = processes(state)
    for each in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    return len(running)


def _run_a_pod(run: Run, *kubectl: str) -> None:
    wait_until(
        lambda: "default" in run(*kubectl, "get", "serviceaccounts", "--output=name"),
        "no default service account",
        60,
    )
    run(*kubectl, "run", "probe", "--image=localhost/pause:1", "--image-pull-policy=Never")
    run(*kubectl, "wait", "--for=condition=Ready", "pod/probe", "--timeout=120s")
