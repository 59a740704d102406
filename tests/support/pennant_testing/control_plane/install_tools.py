"""Helm and kubectl from the programs that dev/ builds, and what they render."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from pennant_dev.binaries import ensure
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, run
from pennant_testing.control_plane.objects import Object
from pennant_testing.folders import REPOSITORY

CHART = REPOSITORY / "charts" / "pennant"
VALUES_TO_BEGIN_WITH = sorted((CHART / "ci").glob("*-values.yaml"))
MANIFESTS = REPOSITORY / "manifests"
IN_ENV = MANIFESTS / "namespace-install" / "images-in-env.yaml"
NAMESPACE = "pennant-system"


class Tools:
    """`helm` and `kubectl` on one cluster, or on none."""

    def __init__(self, kubeconfig: Path | None = None) -> None:
        self._helm = ensure("helm")["helm"]
        ensure("kubelite")  # kubectl comes with it
        self._kubectl = Settings.from_env().bin / "kubectl"
        # A file that is not there: nothing reaches the cluster of whoever runs the tests.
        self._env = os.environ | {"KUBECONFIG": str(kubeconfig or "/nonexistent")}
        if kubeconfig is not None:  # not what was found at this port before, of another server's
            self._env["KUBECACHEDIR"] = str(kubeconfig.parent / "cache")

    def helm(self, *words: str) -> str:
        """Standard output of a helm command; DevError when it fails."""
        return run([self._helm, *words], env=self._env)

    def helm_later(self, *words: str) -> subprocess.Popen[str]:
        """A helm command that has begun."""
        command = [str(self._helm), *words]
        return subprocess.Popen(
            command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Standard output of a kubectl command; DevError when it fails."""
        return run([self._kubectl, *words], env=self._env, stdin=stdin)

    def chart(self, *words: str, namespace: str = NAMESPACE) -> list[Object]:
        """What the chart renders with these options."""
        return parsed(self.helm("template", "pennant", str(CHART), f"-n={namespace}", *words))

    def kustomized(self, folder: str | Path) -> list[Object]:
        """What a kustomization renders: a folder of manifests/, or any."""
        return parsed(self.kubectl("kustomize", str(MANIFESTS / folder)))


def succeeds(act: Callable[[], object]) -> bool:
    """Whether a command of them does not fail."""
    try:
        act()
    except DevError:
        return False
    return True


def parsed(text: str) -> list[Object]:
    """The objects of a stream of YAML documents."""
    return [each for each in yaml.safe_load_all(text) if each]


def namespace_overlay(
    folder: Path, namespace: str, registry: str = "", tag: str = "0.1.0", component: str = ""
) -> Path:
    """A kustomization over manifests/namespace-install, as somebody in another repository has."""
    folder.mkdir(parents=True)

    def ours(name: str) -> str:
        return os.path.relpath(MANIFESTS / name, folder.resolve())

    images = [
        {"name": name, "newName": registry + name, "newTag": tag}
        for name in ("pennant-operator", "pennant-serving")
    ]
    overlay = {
        "namespace": namespace,
        "resources": [ours("namespace-install")],
        "components": [ours(component)] if component else [],
        "configurations": [IN_ENV.name],
        "images": images,
    }
    (folder / "kustomization.yaml").write_text(json.dumps(overlay))
    shutil.copy(IN_ENV, folder)
    return folder
