"""The folder that an image is built from: a Dockerfile, requirements, and wheels of the bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pennant_registry.lock_form import EnvironmentLock
from pennant_serving.environment import pins, runtime
from pennant_serving.environment.asked import AskedEnvironment, project

MOUNT = "/asked"
"""Where the folder is while the packages are installed; no layer has it."""


def write_context(
    folder: Path,
    base: str,
    asked: AskedEnvironment,
    lock: EnvironmentLock | None,
    index_arguments: Sequence[str],
    *,
    has_account: bool,
) -> None:
    """Raises ValueError where a lock holds no pins."""
    wheels = folder / "wheels"
    wheels.mkdir()
    for wheel in asked.wheels:
        shutil.copy(wheel, wheels)
    python = lock.python if lock else asked.python
    listed = _of_bundle(asked) if lock is None else _of_lock(asked, lock)
    constraints = [line.requirement for line in asked.constraints] if lock is None else []
    (folder / "requirements.txt").write_text("".join(f"{each}\n" for each in listed))
    (folder / "constraints.txt").write_text("".join(f"{each}\n" for each in constraints))
    exact = ["--no-deps"] if lock else []
    text = dockerfile(base, python, [*index_arguments, *exact], has_account=has_account)
    (folder / "Dockerfile").write_text(text)


def dockerfile(base: str, python: str, arguments: Sequence[str], *, has_account: bool) -> str:
    """With byte code, which a pod could not keep, and the serving image's own user."""
    account = " --mount=type=secret,id=netrc,target=/root/.netrc" if has_account else ""
    words = (
        *("uv", "pip", "install", "--python=/venv", "--no-cache", "--compile-bytecode"),
        *("--system-certs", "--index-strategy=first-index", *arguments),
        *(f"--constraints={MOUNT}/constraints.txt", f"--requirements={MOUNT}/requirements.txt"),
    )
    steps = [f"FROM {base}", "USER 0"]
    if python:
        problem = (
            f"the bundle is for Python {python}, and this image has Python %s: build on one"
            f" that has Python {python}"
        )
        steps.append(f"RUN {json.dumps(['python', '-c', _SAME_PYTHON, python, problem])}")
    install = " ".join(f"'{word}'" for word in words)
    steps.append(f"RUN --mount=type=bind,source=.,target={MOUNT}{account} {install}")
    return "\n".join([*steps, "USER 65532:65532", ""])


def _of_bundle(asked: AskedEnvironment) -> list[str]:
    """What the bundle asks for, and what the server needs, as `fetch` would resolve it."""
    named = replace(asked, wheels=()).requirements()
    files = [f"{MOUNT}/wheels/{wheel.name}" for wheel in asked.wheels]
    return [*named, *files, *runtime.requirements()]


def _of_lock(asked: AskedEnvironment, lock: EnvironmentLock) -> list[str]:
    files = {project(wheel): f"{MOUNT}/wheels/{wheel.name}" for wheel in asked.wheels}
    return [files.get(pin.name, f"{pin.name}==={pin.version}") for pin in pins.decode(lock.pins)]


_SAME_PYTHON = (
    "import sys; here = '%d.%d' % sys.version_info[:2]; "
    "sys.exit(here != sys.argv[1] and sys.argv[2] % here)"
)
