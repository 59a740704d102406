"""Whether a bundle was saved with another release of its library than this image has."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pennant_serving.bundle.bundle import Bundle


@dataclass(frozen=True)
class Library:
    """Of a flavor."""

    module: str
    packages: tuple[str, ...]
    """The names that it is installed under, the usual one first."""
    version_key: str = ""
    """Where the flavor in the MLmodel file has its version."""


LIBRARIES = {
    "sklearn": Library("sklearn", ("scikit-learn",), "sklearn_version"),
    "xgboost": Library("xgboost", ("xgboost", "xgboost-cpu"), "xgb_version"),
    "lightgbm": Library("lightgbm", ("lightgbm",), "lgb_version"),
    # The flavor tells the version of onnx, which made the file, and runs nothing.
    "onnx": Library("onnxruntime", ("onnxruntime", "onnxruntime-gpu")),
}
ALTERNATIVES = (
    *(library.packages for library in LIBRARIES.values()),
    ("mlflow", "mlflow-skinny"),
)
"""Packages of which each does for the others."""


@dataclass(frozen=True)
class Mismatch:
    """Two releases that differ in more than their last number."""

    library: str
    saved: str
    here: str

    def __str__(self) -> str:
        return f"saved with {self.library} {self.saved}, and this image has {self.here}"

    @property
    def remedy(self) -> str:
        """What a person can do."""
        return (
            f"set serving.image to one that has {self.library} {'.'.join(_release(self.saved))}, or"
            " save the model again with this image's"
        )


def mismatch(bundle: Bundle) -> Mismatch | None:
    """The first flavor's whose library differs; None when none does, or nobody says."""
    if bundle.mlmodel is None:
        return None
    for name, library in LIBRARIES.items():
        flavor = bundle.mlmodel.flavors.get(name)
        if flavor is None:
            continue
        saved = str(flavor.get(library.version_key) or "") or _required(bundle.path, library)
        here = _installed(library)
        if saved and here and differ(saved, here):
            return Mismatch(library.packages[0], saved, here)
    return None


def requirement(folder: Path, package: str) -> str:
    """The line of the bundle's requirements.txt about a package; empty when there is none."""
    return next((line for line in _lines(folder) if _name(line) == package), "")


def requirements(folder: Path) -> Iterator[tuple[str, str]]:
    """The packages that the bundle's requirements.txt names, and the one version that each wants;
    empty where it leaves a choice. What depends on where it is installed is passed over."""
    for line in _lines(folder):
        if _PLAIN.fullmatch(line):
            pinned = _PIN.search(line)
            yield _name(line), pinned[1] if pinned else ""


def _lines(folder: Path) -> list[str]:
    path = folder / "requirements.txt"
    lines = path.read_text("utf-8-sig", errors="replace").splitlines() if path.is_file() else []
    return [line.partition(" #")[0].strip() for line in lines]


def _name(line: str) -> str:
    return normal(_NAME.split(line)[0])


def _required(folder: Path, library: Library) -> str:
    """The one version that requirements.txt wants; empty when it wants none or leaves a choice."""
    lines = (requirement(folder, normal(package)) for package in library.packages)
    pinned = (_PIN.search(line) for line in lines)
    return next((match[1] for match in pinned if match), "")


def _installed(library: Library) -> str:
    """Empty when it is not."""
    if library.module in sys.modules:
        return str(getattr(sys.modules[library.module], "__version__", ""))
    return next(filter(None, map(installed, library.packages)), "")


def installed(package: str) -> str:
    """The version of a package that is installed; empty when it is not."""
    return _all_installed(tuple(sys.path)).get(normal(package), "")


@cache
def _all_installed(folders: tuple[str, ...]) -> dict[str, str]:
    """Normalised names to versions, by what installers call their folders: to import
    importlib.metadata, and to have it read each package's files, takes a tenth of a second."""
    versions: dict[str, str] = {}
    for folder in folders:
        with contextlib.suppress(OSError):  # it is none, or closed to us: then to imports, too
            for path in Path(folder).iterdir():
                if match := _INSTALLED.fullmatch(path.name):
                    versions.setdefault(normal(match[1]), match[2])
    return versions


def differ(saved: str, here: str) -> bool:
    """Whether two releases differ in more than their last number."""
    return _release(saved) != _release(here)


def _release(number: str) -> list[str]:
    """Major and minor."""
    return [*re.findall(r"\d+", number), "0"][:2]


def normal(name: str) -> str:
    """A package's name, as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


_NAME = re.compile(r"[^\w.-]")
_PLAIN = re.compile(r"(?!.*\.whl$)[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*([=<>!~][^;@]*)?")
_INSTALLED = re.compile(r"([\w.]+)-(\d[^-]*)\.dist-info")
_PIN = re.compile(r"===?\s*(?!\d+\.\*)([\w.]+)")
