"""What a cluster has on this machine: for `down` to remove, and to prove that nothing is left."""

from pathlib import Path

from pennant_dev import cgroups, iptables
from pennant_dev.network import bridges, cni_results
from pennant_dev.node import nodes
from pennant_dev.processes import Identity, identify
from pennant_dev.settings import Settings

PROGRAMS = {"etcd", "kubelite", "containerd", "containerd-shim-runc-v2", "metrics-server"}


def leftovers(settings: Settings | None = None) -> list[str]:
    """One line for each process, mount, interface, route, rule and cgroup of ours that exists.

    Empty after `down`. Files in the state folder (logs, loaded images) are not counted.
    """
    state = (settings or Settings.from_env()).state
    names = [node.cgroup for node in nodes(state)]
    return [
        *(f"process {each.pid} ({_command(each.pid)})" for each in processes(state)),
        *(f"mount {each}" for each in mounts(state)),
        *(f"interface {each}" for each in bridges(state)),
        *(f"rule {each}" for each in iptables.remaining()),
        *(f"CNI result {each}" for each in cni_results(state)),
        *(f"cgroup {each}" for name in names for each in cgroups.existing(name)),
    ]


def processes(state: Path) -> list[Identity]:
    """Processes of the cluster, by what they are: our programs on this state folder, and pods.

    Finds what pid files cannot: containers and their shims.
    """
    pids = {pid for node in nodes(state) for pid in cgroups.members(node.cgroup)}
    pids |= {int(each.name) for each in Path("/proc").iterdir() if _is_ours(each, state)}
    return [process for process in map(identify, sorted(pids)) if process is not None]


def mounts(state: Path) -> list[Path]:
    """Mount points below the state folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return [each for each in reversed(points) if each.is_relative_to(state)]


def _is_ours(entry: Path, state: Path) -> bool:
    if not entry.name.isdecimal():
        return False
    words = _arguments(int(entry.name))
    return bool(words) and Path(words[0]).name in PROGRAMS and any(f"{state}/" in w for w in words)


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _command(pid: int) -> str:
    return " ".join(_arguments(pid))[:100].strip()
