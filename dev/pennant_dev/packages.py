"""Debian packages that the local cluster and the image builds need."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pennant_dev.binaries import exclusive
from pennant_dev.shell import DevError, eprint, run, step, succeeds

# One list, so that a cluster and its images, made side by side, wait for apt only once.
LOCAL = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "etcd-server",
    "iptables",
    "conntrack",
    "iproute2",
    "openssl",
    "buildah",
    "skopeo",
    "mmdebstrap",
)
LOCK = Path("/run/lock/pennant-packages")
POLICY = Path("/usr/sbin/policy-rc.d")


def require_debian() -> None:
    """DevError unless this is root on a machine with apt."""
    if not succeeds(["apt-get", "--version"]):
        raise DevError(
            "the local cluster needs Debian or Ubuntu (no `apt-get` here); "
            "install Docker and kind instead: https://kind.sigs.k8s.io"
        )
    if os.geteuid() != 0:
        raise DevError(
            "the local cluster makes network interfaces and needs root; run it with sudo"
        )


def install(packages: Sequence[str]) -> None:
    """Install what is missing, saying so first; no service is started."""
    if not _missing(packages):
        return
    with exclusive(LOCK):
        missing = _missing(packages)
        if missing:
            _install(missing)


def _install(missing: Sequence[str]) -> None:
    eprint(f"installing Debian packages: {' '.join(missing)}")
    with step("installed packages"), _no_services():
        if not all(succeeds(["apt-cache", "show", "--quiet=2", each]) for each in missing):
            run(["apt-get", "update", "--quiet=2"])
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 - handed on
        command = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends"]
        run([*command, *missing], env=environment)


def _missing(packages: Sequence[str]) -> list[str]:
    return [each for each in packages if not _installed(each)]


def _installed(package: str) -> bool:
    status = run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package], check=False)
    return status == "installed"


@contextmanager
def _no_services() -> Iterator[None]:
    """Debian starts etcd and containerd when it installs them: a policy file says no meanwhile."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
