"""Python environments of their own, and wheels, one for each lock: made once, kept in the cache
folder."""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from pennant_dev.binaries import exclusive
from pennant_dev.settings import Settings

THIS = Path(sys.executable)
MANYLINUX = ("manylinux2014", "manylinux_2_27", "manylinux_2_28")  # of wheels, and older ones


def environment(name: str, lock: Path) -> Path:
    """The interpreter of an environment that holds what a hash-pinned lock says.

    Raises subprocess.CalledProcessError when it cannot be installed.
    """
    cache = Settings.from_env().cache
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python, complete = home / "bin" / "python", home / "complete"
    with exclusive(cache / f"{name}.lock"):
        if not complete.exists():  # an environment cannot be moved, so it is made in its place
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([THIS, "-m", "venv", "--without-pip", home], check=True)
            uv, options = THIS.with_name("uv"), ("--compile-bytecode", "--require-hashes")
            install = (uv, "pip", "install", "--quiet", *options, "--python", python, "-r", lock)
            subprocess.run(install, check=True)
            complete.touch()
    return python


def wheels(lock: Path, python: str) -> Path:
    """A folder with the wheels of a hash-pinned lock, for a Python (3.12) on Linux here.

    Raises subprocess.CalledProcessError when they cannot be downloaded.
    """
    cache = Settings.from_env().cache
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"{lock.stem}-{python}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    tags = [f"--platform={kind}_{platform.machine()}" for kind in MANYLINUX]
    with exclusive(cache / f"{lock.stem}.lock"):
        if not home.exists():
            unfinished = home.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            options = ("--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:")
            where = (f"--requirement={lock}", f"--dest={unfinished}")
            pip = (THIS, "-m", "pip", "download")
            subprocess.run(
                [*pip, *options, f"--python-version={python}", *tags, *where], check=True
            )
            unfinished.rename(home)
    return home
