"""The programs of the local cluster and of its tests: built once, cached by what they are made of.

`ensure("kubelite", "etcd")` gives the path of each, building what is not cached. Root is needed
for nothing here, Go >= 1.24.4 only for the first build.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pennant_dev import programs
from pennant_dev.programs import PROGRAMS
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, eprint, run, step, succeeds

GO_AT_LEAST = (1, 24, 4)
# What a person calls, and by which name.
COMMANDS = {"kubelite": "kubectl", "helm": "helm", "kwok": "kwok", "versitygw": "versitygw"}


def ensure(*names: str, settings: Settings | None = None) -> dict[str, Path]:
    """Paths of programs that are built here, or of installed ones such as `etcd`.

    Those of one origin that are asked for together are built by one command: it compiles the next
    while it links the first. DevError says what to install when one can be neither found nor built.
    """
    chosen = settings or Settings.from_env()
    chosen.cache.mkdir(parents=True, exist_ok=True)
    installed = {name: _installed(name) for name in names if name not in PROGRAMS}
    ours = [name for name in names if name in PROGRAMS]
    for origin in sorted(set(map(programs.origin, ours))):
        _build([name for name in ours if programs.origin(name) == origin], origin, chosen)
    for name in COMMANDS.keys() & ours:
        _link(chosen.bin / COMMANDS[name], _target(name, chosen))
    return installed | {name: _target(name, chosen) for name in ours}


def _target(name: str, settings: Settings) -> Path:
    return settings.cache / f"{name}-{programs.key(name)}" / name


def _build(names: Sequence[str], origin: str, settings: Settings) -> None:
    if not _missing(names, settings):
        return
    require_go()
    with exclusive(settings.cache / f"{origin}.lock"):
        missing = _missing(names, settings)  # somebody else may have built them meanwhile
        if missing:
            listed = ", ".join(missing)
            eprint(f"building {listed} (minutes, once)")
            with step(f"built {listed}"):
                _build_now(missing, settings.cache / f"{origin}.building", settings)


def _build_now(names: Sequence[str], scratch: Path, settings: Settings) -> None:
    """Build into a folder next to the targets and rename: a half-built program is never found."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    variables = {"CGO_ENABLED": "0", "GOBIN": str(scratch)}
    # The environment is handed on, not read.
    run(programs.command(names), cwd=programs.MODULE, env={**os.environ, **variables})  # noqa: TID251
    for name in names:
        target = _target(name, settings)
        target.parent.mkdir(exist_ok=True)
        (scratch / name).rename(target)
    scratch.rmdir()


def _missing(names: Sequence[str], settings: Settings) -> list[str]:
    return [name for name in names if not _target(name, settings).exists()]


def _installed(name: str) -> Path:
    program = shutil.which(name, path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
    if program is None:
        package = {"etcd": "etcd-server"}.get(name, name)
        raise DevError(
            f"`{name}` is not installed; install it with:\n"
            f"  sudo apt-get install --no-install-recommends {package}"
        )
    return Path(program)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a file lock; another command that wants it waits."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def require_go() -> None:
    """DevError unless a recent enough Go is on PATH."""
    wanted = ".".join(map(str, GO_AT_LEAST))
    words = run(["go", "version"]) if succeeds(["go", "version"]) else ""
    version = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", words)
    if version is None or tuple(int(n or 0) for n in version.groups()) < GO_AT_LEAST:
        raise DevError(
            f"Go >= {wanted} is needed to build the cluster's programs "
            f"({words.strip() or 'no `go` on PATH'}); install it with:\n"
            "  sudo apt-get install -t bookworm-backports golang-go    # or from https://go.dev/dl/"
        )


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink() and link.readlink() == target:
        return
    # In one step: somebody else may be about to run it, or to make the same link.
    scratch = link.with_name(f".{link.name}-{os.getpid()}")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    scratch.replace(link)
