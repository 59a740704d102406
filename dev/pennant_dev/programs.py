"""What the cluster's programs and those of its tests are built from (pure)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pennant_dev.settings import REPOSITORY

MODULE = REPOSITORY / "dev" / "programs"
PROGRAMS = {
    # Of the Go module in dev/programs: at one set of versions, what they share is compiled once.
    "kubelite": "./kubelite",
    "pause": "./pause",
    "kstatus": "./kstatus",
    "helm": "helm.sh/helm/v3/cmd/helm",
    # Says of a connection whether NetworkPolicies let it through.
    "cyclonus": "github.com/mattfenwick/cyclonus/cmd/cyclonus",
    # What an autoscaler asks for the use of pods. 0.9.0 is for Go 1.26 and Kubernetes 1.36; 0.7.2
    # does not compile with 1.34's libraries.
    "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
    # Of their own modules. A real S3 server, over a folder: 35 of its 373 packages are Kubernetes'
    # too, at newer versions that everybody would get, with Go 1.25.
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    # 0.8.0 is for Go 1.26 and Kubernetes 1.36; 0.7.0 does not compile with 1.34's libraries.
    "kwok": "sigs.k8s.io/kwok/cmd/kwok@v0.8.0",
    # Shares nothing with the cluster; a change of its version would compile kubelite again.
    "actionlint": "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
    # Prometheus' engine, for alerts and dashboards: at other versions of much that the cluster has.
    # Its promtool compiles for four times as long, to find services in clouds.
    "promrules": "./promrules",
}
"""The package of each, with a version where it is not the module's that counts."""

MODULES = {"promrules"}
"""Those whose folder is a module of its own."""

KUBERNETES = "v1.34.4"
MAJOR, MINOR, _ = KUBERNETES.removeprefix("v").split(".")
VERSIONS = {
    "k8s.io/component-base/version.gitVersion": KUBERNETES,
    "k8s.io/component-base/version.gitMajor": MAJOR,
    "k8s.io/component-base/version.gitMinor": MINOR,
    # What `helm template` takes for the cluster's version; unset it is 1.20.
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": MAJOR,
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": MINOR,
}
"""Strings set by the linker; in a program without them it sets nothing."""
FLAGS = (
    "-trimpath",
    "-buildvcs=false",
    # What a debugger would read is stripped in the end: not to make it saves a fifteenth.
    "-gcflags=all=-dwarf=false",
    f"-ldflags=-s -w {' '.join(f'-X {name}={value}' for name, value in VERSIONS.items())}",
)
"""The same for all, or what they share would be compiled once for each."""


def origin(name: str) -> str:
    """What a program is built with, by one command: `programs`, the module, or itself alone."""
    return name if "@" in PROGRAMS[name] or name in MODULES else MODULE.name


def key(name: str, module: Path = MODULE) -> str:
    """A short hash over what a program is built from: versions, its own files, flags.

    Not over the files of the module's other programs: kubelite stays when pause changes.
    """
    package = PROGRAMS[name]
    whole = hashlib.sha256(repr((name, package, FLAGS)).encode())
    if "@" not in package:
        own = sorted((module / package).glob("*.go")) if package.startswith("./") else ()
        versions = module / package if name in MODULES else module
        for path in (versions / "go.mod", versions / "go.sum", *own):
            whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def command(names: Sequence[str]) -> list[str]:
    """Builds programs of one origin into the folder GOBIN; to be run in the module."""
    (within,) = {PROGRAMS[name] if name in MODULES else "." for name in names}
    packages = ["." if name in MODULES else PROGRAMS[name] for name in names]
    return ["go", "install", "-C", within, *FLAGS, *packages]
