"""A cgroup of its own for each node, on cgroup v1 and v2."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pennant_dev.shell import DevError, wait_until

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = "+cpu +cpuset +memory +pids"
LAST_THREADS_SECONDS = 5.0  # for the last threads of what was killed


def create(name: str) -> None:
    """Make the cgroup in every hierarchy, ready for a kubelet."""
    for hierarchy in _hierarchies():
        folder = hierarchy / name
        if not _unified():
            folder.mkdir(exist_ok=True)
            for each in ("cpuset.cpus", "cpuset.mems"):  # empty in a new cgroup: nothing could run
                if (folder / each).exists():
                    (folder / each).write_text((hierarchy / each).read_text())
        else:
            (hierarchy / "cgroup.subtree_control").write_text(CONTROLLERS)
            folder.mkdir(exist_ok=True)
            (folder / "cgroup.subtree_control").write_text(CONTROLLERS)


def remove(name: str) -> None:
    """Remove the cgroup and everything below it; processes in it must be gone, or about to be."""
    with contextlib.suppress(DevError):  # something is in it: leftovers() reports it
        wait_until(lambda: _is_removed(name), f"cgroup {name}", LAST_THREADS_SECONDS)


def _is_removed(name: str) -> bool:
    for folder in existing(name):
        below = [each for each in folder.rglob("*") if each.is_dir()]
        for each in sorted([folder, *below], key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):
                each.rmdir()
    return not existing(name)


def existing(name: str) -> list[Path]:
    """Folders of the cgroup, one for each hierarchy that has it."""
    return [each / name for each in _hierarchies() if (each / name).is_dir()]


def members(name: str) -> Iterator[int]:
    """Pids of every process in the cgroup or below."""
    seen = set[int]()
    for folder in existing(name):
        for listing in (folder / "cgroup.procs", *folder.rglob("cgroup.procs")):
            with contextlib.suppress(OSError):  # removed while being read
                seen.update(int(pid) for pid in listing.read_text().split())
    yield from sorted(seen)


def _unified() -> bool:
    return (ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    if _unified():
        return [ROOT]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return sorted({Path(line.split()[1]) for line in mounts if line.split()[2] == "cgroup"})
