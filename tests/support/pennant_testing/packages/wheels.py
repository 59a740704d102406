"""Small wheels: a name, a version, what they need, and a module that tells its version."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path

from packaging.requirements import Requirement

from pennant_serving.environment import runtime

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same wheel is the same bytes."""


def wheel(
    folder: Path,
    name: str,
    version: str,
    *requires: str,
    tag: str = "py3-none-any",
    requires_python: str = "",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Make a wheel in the folder; its file. `files` are its modules by path, or one of its name,
    and its list of them where it is to be another than the true one."""
    module = re.sub(r"[-_.]+", "_", name).lower()
    info = f"{module}-{version}.dist-info"
    content = dict(files or {f"{module}/__init__.py": f'__version__ = "{version}"\n'})
    content[f"{info}/METADATA"] = _metadata(name, version, requires, requires_python)
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: pennant\nRoot-Is-Purelib: true\nTag: {tag}\n"
    )
    content.setdefault(f"{info}/RECORD", _record(content) + f"{info}/RECORD,,\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in content.items():
            archive.writestr(zipfile.ZipInfo(member, EARLIEST), text)
    return path


def _metadata(name: str, version: str, requires: tuple[str, ...], requires_python: str) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    lines += [f"Requires-Python: {requires_python}"] * bool(requires_python)
    return "\n".join(lines) + "\n"


def _record(content: Mapping[str, str]) -> str:
    rows = ((path, text.encode()) for path, text in content.items())
    return "".join(f"{path},sha256={_hash(data)},{len(data)}\n" for path, data in rows)


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def runtime_wheels(folder: Path) -> None:
    """Empty ones in the place of all that the server itself needs: whoever resolves with them sees
    their bounds, and nothing of them is ever imported."""
    for text in runtime.requirements():
        name = Requirement(text).name
        wheel(folder, name, installed_version(name), files={f"_{len(name)}.py": ""})
