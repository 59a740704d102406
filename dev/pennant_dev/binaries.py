"""The programs of the local cluster: built once, cached by the content of their sources.

`ensure("kubelite", "etcd")` gives the path of each, building what is not cached. Root is needed
for nothing here, Go >= 1.24 only for the first build.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shell import DevError, run, say, step, succeeds

KUBERNETES = "v1.34.4"
MAJOR, MINOR, _ = KUBERNETES.removeprefix("v").split(".")
GO_AT_LEAST = (1, 24)


@dataclass(frozen=True)
class Published:
    """A program in somebody else's Go module, built as it is published."""

    package: str
    version: str
    patience: str
    flags: str = ""


PUBLISHED = {
    "coredns": Published("github.com/coredns/coredns", "v1.12.4", "about 90 seconds, once"),
    # A real S3 server, over a folder.
    "versitygw": Published(
        "github.com/versity/versitygw/cmd/versitygw", "v1.8.0", "about a minute, once", "-s -w"
    ),
    "kwok": Published("sigs.k8s.io/kwok/cmd/kwok", "v0.8.0", "about 2 minutes, once"),
    "helm": Published(
        "helm.sh/helm/v3/cmd/helm",
        "v3.19.5",
        "about 2 minutes, once",
        # What `helm template` takes for the cluster's version; unset it is 1.20.
        f"-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor={MAJOR} "
        f"-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor={MINOR}",
    ),
}


def ensure(*names: str, settings: Settings | None = None) -> dict[str, Path]:
    """Paths of `kubelite`, `pause`, a published program, or an installed one such as `etcd`.

    DevError says what to install when a program can be neither found nor built.
    """
    chosen = settings or Settings.from_env()
    chosen.cache.mkdir(parents=True, exist_ok=True)
    return {name: _one(name, chosen) for name in names}


def _one(name: str, settings: Settings) -> Path:
    if name == "kubelite":
        path = _module("kubelite", _version_flags(), "about 5 minutes, once", settings)
        _link(settings.bin / "kubectl", path)
        return path
    if name == "pause":
        return _module("pause", "-s -w", "a few seconds, once", settings)
    if name in PUBLISHED:
        path = _published(name, PUBLISHED[name], settings)
        _link(settings.bin / name, path)
        return path
    found = shutil.which(name, path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
    if found is None:
        package = {"etcd": "etcd-server"}.get(name, name)
        raise DevError(
            f"`{name}` is not installed; install it with:\n"
            f"  sudo apt-get install --no-install-recommends {package}"
        )
    return Path(found)


def _module(name: str, flags: str, patience: str, settings: Settings) -> Path:
    source = REPOSITORY / "dev" / name
    target = settings.cache / f"{name}-{content_hash(source)}" / name

    def build(output: Path) -> None:
        run(["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output, "."],
            cwd=source, env=_go_env())  # fmt: skip

    return _cached(target, patience, build)


def _published(name: str, what: Published, settings: Settings) -> Path:
    def build(output: Path) -> None:
        at_version = f"{what.package}@{what.version}"
        run(["go", "install", "-trimpath", "-ldflags", what.flags, at_version],
            env=_go_env() | {"GOBIN": str(output.parent)})  # fmt: skip

    return _cached(settings.cache / f"{name}-{what.version}" / name, what.patience, build)


def _cached(target: Path, patience: str, build: Callable[[Path], None]) -> Path:
    """Build into a folder next to the target and rename: a half-built program is never found."""
    if target.exists():
        return target
    require_go()
    with exclusive(target.parent.parent / f"{target.name}.lock"):
        if target.exists():
            return target
        scratch = target.parent.with_suffix(".building")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        say(f"building {target.name} ({patience})")
        with step(f"built {target.name}"):
            build(scratch / target.name)
        scratch.rename(target.parent)
    return target


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a file lock; another command that wants it waits."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def content_hash(source: Path) -> str:
    """A short hash over a Go module's go.mod, go.sum and main.go."""
    whole = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        path = source / name
        whole.update(path.read_bytes() if path.exists() else b"")
    return whole.hexdigest()[:12]


def require_go() -> None:
    """DevError unless a recent enough Go is on PATH."""
    wanted = ".".join(map(str, GO_AT_LEAST))
    words = run(["go", "version"]) if succeeds(["go", "version"]) else ""
    version = re.search(r"go(\d+)\.(\d+)", words)
    if version is None or (int(version[1]), int(version[2])) < GO_AT_LEAST:
        raise DevError(
            f"Go >= {wanted} is needed to build the cluster's programs "
            f"({words.strip() or 'no `go` on PATH'}); install it with:\n"
            "  sudo apt-get install -t bookworm-backports golang-go    # or from https://go.dev/dl/"
        )


def _version_flags() -> str:
    at = "-X k8s.io/component-base/version"
    return f"-s -w {at}.gitVersion={KUBERNETES} {at}.gitMajor={MAJOR} {at}.gitMinor={MINOR}"


def _go_env() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0"}  # noqa: TID251 - handed on, not read


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink() and link.readlink() == target:
        return
    # In one step: somebody else may be about to run it, or to make the same link.
    scratch = link.with_name(f".{link.name}-{os.getpid()}")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    scratch.replace(link)
