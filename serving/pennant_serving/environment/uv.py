"""Running uv: it asks the indexes that are allowed, and goes by nothing else.

Its variables are made here from nothing, so no proxy, no configuration, no netrc and no keyring of
the container or of a home takes part. An address and its credentials are one index of a name of
ours; credentials go by uv's variables of that name, and to that host and port only: in arguments
everybody on the node could read them.

The indexes are asked in the order in which the administrator wrote them, and a name is taken from
the first that has it at all, whatever versions others have (uv's `first-index`). So nobody can put
a package with a private one's name and a higher version on a later, public index; of several, the
private one is to be written first.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pennant_serving.environment.settings import PackageIndexes
from pennant_serving.failures import PodError, Reason

PROGRAM = "uv"
RUN_SECONDS = 3600
"""Of one run, at most; the operator's deadline for `fetch` is shorter, and says more."""
INDEX_NAME = "pennant"
"""And its place, for each."""
ALONE = (
    "--no-config",
    "--no-progress",
    "--color=never",
    "--keyring-provider=disabled",
    "--no-python-downloads",
    "--system-certs",
    "--index-strategy=first-index",
    "--only-binary=:all:",  # nothing is built: no code of a package runs
)


class UvFailed(Exception):  # noqa: N818 - a finding
    """What it wrote about it."""


@dataclass(frozen=True)
class Uv:
    """The program, with a folder of its own: its cache lies on the volume that it installs to, so
    that what it has downloaded is linked and not copied."""

    indexes: PackageIndexes
    folder: Path
    network: Mapping[str, str] = field(default_factory=dict)
    """Variables that say by which proxy and certificates it gets there; a pod has none."""
    cache: Path | None = None
    """Where it is not in that folder."""

    def run(self, *arguments: str) -> None:
        """One of its `pip` commands. Raises UvFailed, and PodError where the image has no uv."""
        command = [program() or PROGRAM, "pip", *arguments, *ALONE, f"--python={sys.executable}"]
        try:
            done = subprocess.run(
                [*command, *self._index_arguments()],
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=RUN_SECONDS,
            )
        except FileNotFoundError as error:
            problem = "this image has no uv, which installs what a bundle asks for"
            raise PodError(Reason.CONFIGURATION_ERROR, problem) from error
        except subprocess.TimeoutExpired as error:
            raise UvFailed(f"it took longer than {RUN_SECONDS} s") from error
        if done.returncode:
            raise UvFailed(done.stderr.decode(errors="replace"))

    def _index_arguments(self) -> list[str]:
        """The last one is the default: in its place uv would ask the public index."""
        *first, last = (f"{_name(n)}={url}" for n, url in enumerate(self.indexes.urls))
        return [f"--index={each}" for each in first] + [f"--default-index={last}"]

    def _variables(self) -> dict[str, str]:
        folder, cache = str(self.folder), self.cache or self.folder / "cache"
        variables = {"HOME": folder, "TMPDIR": folder, "UV_CACHE_DIR": str(cache)}
        variables |= self.network
        for n in range(len(self.indexes.urls)):
            prefix = f"UV_INDEX_{_name(n).upper()}"
            if self.indexes.username is not None:
                variables[f"{prefix}_USERNAME"] = self.indexes.username
            if self.indexes.password is not None:
                variables[f"{prefix}_PASSWORD"] = self.indexes.password
        return variables | self._trust()

    def _trust(self) -> dict[str, str]:
        """The variables for one more authority: they take the place of the system's."""
        if self.indexes.ca is None:
            return {}
        system = ssl.get_default_verify_paths()
        given = [path for path in (system.cafile, self.indexes.ca) if path is not None]
        trusted = self.folder / "trusted.pem"
        trusted.write_bytes(b"\n".join(Path(path).read_bytes() for path in given))
        folder = {"SSL_CERT_DIR": system.capath} if system.capath else {}
        return {"SSL_CERT_FILE": str(trusted), **folder}


def _name(place: int) -> str:
    return f"{INDEX_NAME}{place}"


def program() -> str | None:
    """Beside the Python that runs, where it is installed there; else the one of the PATH; or
    None."""
    beside = Path(sys.executable).with_name(PROGRAM)
    return str(beside) if beside.is_file() else shutil.which(PROGRAM)
