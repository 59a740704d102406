"""The garbage collector of a real kube-controller-manager, for a control plane that has none."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.controlplane import ControlPlane


@contextlib.contextmanager
def garbage_collector(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """It deletes what is left of deleted owners, and takes their references off orphans."""
    command = [
        str(ensure("kubelite", "etcd")["kubelite"]),
        "kube-controller-manager",
        f"--kubeconfig={plane.kubeconfig}",
        "--controllers=garbage-collector-controller",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    with (folder / "kube-controller-manager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()
