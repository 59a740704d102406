"""What builds and pushes images: docker, or buildah."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pennant_registry.errors import RegistryError

BUILDERS = ("docker", "buildah")
LINES_SHOWN = 20
"""Of what a program that failed has written: its last ones."""


class ImageError(RegistryError):
    """No image can be built, or pushed; the message says why."""


@dataclass(frozen=True)
class Builder:
    """One of BUILDERS."""

    program: str

    def build(self, context: Path, name: str, secrets: Sequence[str], more: Sequence[str]) -> None:
        """An image of the Dockerfile in a folder. Raises ImageError."""
        verb = "build" if self.program == "docker" else "bud"
        given = (f"--secret={each}" for each in secrets)
        dockerfile = f"--file={context / 'Dockerfile'}"
        run(
            *(self.program, verb, "--no-cache", f"--tag={name}", dockerfile),
            *(*given, *more, str(context)),
        )

    def push(self, name: str) -> str:
        """Its name with its digest, as its registry has it. Raises ImageError."""
        if self.program == "buildah":
            with tempfile.TemporaryDirectory(prefix="pennant-push-") as folder:
                file = Path(folder) / "digest"
                run("buildah", "push", f"--digestfile={file}", name)
                return f"{repository(name)}@{file.read_text().strip()}"
        run("docker", "push", name)
        listed = json.loads(
            run("docker", "image", "inspect", "--format={{json .RepoDigests}}", name)
        )
        pushed = [each for each in listed if each.partition("@")[0] == repository(name)]
        if not pushed:
            raise ImageError(f"docker has no digest for {name} after its push: see docker push")
        return str(pushed[0])


def builder_of(given: str) -> Builder:
    """The one that is asked for, or that there is. Raises ImageError."""
    if given:
        if given not in BUILDERS:
            raise ImageError(f"builder {given!r} is none of {', '.join(BUILDERS)}: choose one")
        if shutil.which(given) is None:
            raise ImageError(f"{given} is not installed here: install it, or another builder")
        return Builder(given)
    for each in BUILDERS:
        if shutil.which(each) and (each != "docker" or _answers("docker", "info")):
            return Builder(each)
    raise ImageError("neither docker nor buildah builds images here: install one of them")


def repository(name: str) -> str:
    """The name of an image without its tag."""
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def run(*command: str) -> str:
    """What it writes. Raises ImageError, with the end of what it wrote."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:]
        raise ImageError(f"{' '.join(command[:2])} failed:\n" + "\n".join(lines))
    return done.stdout


def _answers(*command: str) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
