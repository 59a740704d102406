"""Python environments of their own, one for each lock: made once, kept in the cache folder."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from pennant_dev.binaries import exclusive
from pennant_dev.settings import Settings

THIS = Path(sys.executable)


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
