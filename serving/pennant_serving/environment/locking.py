"""What is asked for, resolved: one wheel of each package, or one reason why not."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pennant_serving.environment import runtime, uv_errors
from pennant_serving.environment.asked import AskedEnvironment
from pennant_serving.environment.pins import Pin, encode
from pennant_serving.environment.requirement_lines import OWN
from pennant_serving.environment.uv import Uv, UvFailed
from pennant_serving.environment.wheels import Wheel, best, fits
from pennant_serving.failures import PodError, Reason

REQUIREMENTS, CONSTRAINTS, LOCK = "requirements.in", "constraints.txt", "pylock.toml"
EXCLUDED = "excluded.txt"
PINS_CHARACTERS = 3600
"""Of the 4096 bytes that a container may end with; the rest is for what else `fetch` reports. A
tag of MLflow's takes more."""


def resolve(asked: AskedEnvironment, uv: Uv) -> list[Wheel]:
    """By what the indexes have now, together with what the server needs. Raises PodError."""
    constraints = [line.requirement for line in asked.constraints]
    try:
        listed = asked.requirements() + runtime.requirements()
        packages = _compiled(uv, listed, constraints, f"--excludes={_own(uv)}")
    except UvFailed as error:
        raise _failure(str(error), asked, uv) from error
    wheels = [_best(package) for package in packages]
    _check_room([wheel.pin for wheel in wheels])
    return wheels


def resolve_pins(pins: Iterable[Pin], asked: AskedEnvironment, uv: Uv) -> list[Wheel]:
    """The very wheels that an earlier pod took, whatever the indexes have beside them. Raises
    PodError."""
    local = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in asked.wheels}
    wheels, others = [], []
    for pin in pins:
        full = next((each for each in local if each.startswith(pin.sha256)), None)
        if full is None:
            others.append(pin)
        else:
            url = local[full].resolve().as_uri()
            wheels.append(Wheel(pin.name, pin.version, full, url))
    wheels += _of_indexes(others, uv) if others else []
    _check_platform(wheels)
    return wheels


def written(wheels: Iterable[Wheel], path: Path) -> Path:
    """A lock of exactly these, as uv installs it (PEP 751)."""
    entries = "".join(_entry(wheel) for wheel in wheels)
    path.write_text(f'lock-version = "1.0"\ncreated-by = "pennant"\n{entries}')
    return path


def _entry(wheel: Wheel) -> str:
    text = json.dumps  # of names, versions and addresses: a string of TOML, too
    hashes = f"hashes = {{ sha256 = {text(wheel.sha256)} }}"
    place = f"url = {text(wheel.url)}, {hashes}"
    if wheel.path is not None:
        place = f"path = {text(str(wheel.path))}, {hashes}"
    elif wheel.listed_as:
        place = f"name = {text(wheel.listed_as)}, {place}"
    kind = f"wheels = [{{ {place} }}]" if wheel.path is None else f"archive = {{ {place} }}"
    return f"\n[[packages]]\nname = {text(wheel.name)}\nversion = {text(wheel.version)}\n{kind}\n"


def _of_indexes(pins: list[Pin], uv: Uv) -> list[Wheel]:
    try:
        # For every platform: or uv would leave out what it would not take today.
        packages = _compiled(uv, [_exactly(pin) for pin in pins], [], "--no-deps", "--universal")
    except UvFailed as error:
        remedy = "put it back, or register the version again"
        raise _lack(
            "the index has no more what this revision is pinned to", str(error), remedy
        ) from error
    listed = [wheel for package in packages for wheel in _wheels(package)]
    return [_of_pin(pin, listed) for pin in pins]


def _check_room(listed: list[Pin]) -> None:
    size = len(encode(listed))
    if size > PINS_CHARACTERS:
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"the bundle's environment has {len(listed)} packages, whose pins take {size}"
            f" characters: at most {PINS_CHARACTERS} can be reported, some 100 packages; log the"
            " model with what it needs itself, or set serving.environment to Image and"
            " serving.image to one that has them",
        )


def _check_platform(wheels: list[Wheel]) -> None:
    """Before uv says of such a wheel that there is none."""
    unfit = [wheel.filename for wheel in wheels if not fits(wheel.filename)]
    if unfit:
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"the pins of this revision (by the version's tag pennant.environment, if it has one)"
            f" have {unfit[0]}, which is for another platform than that of fetch: lock the version"
            " where the platform is that of its pods, or set serving.nodeSelector to nodes of that"
            " platform",
        )


def _own(uv: Uv) -> str:
    """A file of what no package brings along, in front of ours: another release of this one."""
    (uv.folder / EXCLUDED).write_text(f"{OWN}\n")
    return EXCLUDED


def _exactly(pin: Pin) -> str:
    """`==2.5.1` would be 2.5.1+cpu, too, where an index has that by now."""
    return f"{pin.name}==={pin.version}"


def _of_pin(pin: Pin, listed: list[Wheel]) -> Wheel:
    matches = (each for each in listed if each.name == pin.name)
    wheel = next((each for each in matches if each.sha256.startswith(pin.sha256)), None)
    if wheel is None:
        raise PodError(
            Reason.DOWNLOAD_FAILED,
            f"this revision is pinned to a wheel of {pin} whose sha256 begins with {pin.sha256},"
            " and the index has it no more: put it back, or register the version again",
        )
    return wheel


def _compiled(
    uv: Uv, requirements: Iterable[str], constraints: Iterable[str], *arguments: str
) -> list[dict[str, Any]]:
    """The packages of a lock that uv makes of these. Raises UvFailed."""
    (uv.folder / REQUIREMENTS).write_text("".join(f"{each}\n" for each in requirements))
    (uv.folder / CONSTRAINTS).write_text("".join(f"{each}\n" for each in constraints))
    uv.run(
        "compile",
        "--quiet",
        "--format=pylock.toml",
        f"--constraints={CONSTRAINTS}",
        f"--output-file={LOCK}",
        "--no-header",
        "--no-annotate",
        *arguments,
        REQUIREMENTS,
    )
    path = uv.folder / LOCK
    content = tomllib.loads(path.read_text())
    path.unlink()  # the next one is made of nothing
    packages: list[dict[str, Any]] = content.get("packages", [])
    return packages


def _best(package: dict[str, Any]) -> Wheel:
    wheel = best(_wheels(package))
    if wheel is None:
        problem = f"no wheel of {package['name']} {package.get('version')} is for this Python here"
        raise PodError(Reason.ENVIRONMENT_MISMATCH, problem)
    return wheel


def _wheels(package: dict[str, Any]) -> list[Wheel]:
    """All that the lock lists of a package. Raises PodError."""
    listed = package.get("wheels") or [package.get("archive") or {}]
    return [_wheel(package, each) for each in listed]


def _wheel(package: dict[str, Any], entry: dict[str, Any]) -> Wheel:
    name, version = package["name"], package.get("version", "")
    sha256 = (entry.get("hashes") or {}).get("sha256")
    url = entry.get("url") or _uri(entry.get("path"))
    if not sha256 or not url:
        raise PodError(
            Reason.DOWNLOAD_FAILED,
            f"the index has no sha256 for {name} {version}, so it cannot be pinned: use one that"
            " gives hashes (PEP 503, PEP 691)",
        )
    return Wheel(name, version, sha256, url, entry.get("name", ""))


def _uri(path: str | None) -> str:
    return Path(path).absolute().as_uri() if path else ""


def _failure(stderr: str, asked: AskedEnvironment, uv: Uv) -> PodError:
    reason = uv_errors.reason(stderr)
    if reason is not Reason.ENVIRONMENT_MISMATCH:
        return uv_errors.fault(stderr)
    try:
        _compiled(uv, runtime.requirements(), [])
    except UvFailed as error:  # so it is not the bundle's: the index is not one that serves it
        remedy = "see environments.indexURL of the ModelRegistry"
        return _lack("the package index lacks what the server itself needs", str(error), remedy)
    lines = ", ".join(repr(line) for line in uv_errors.lines_about(stderr, asked.lines))
    named = f" (the bundle's requirements say {lines})" if lines else ""
    return PodError(
        reason,
        f"the bundle's environment cannot be made: {uv_errors.explanation(stderr)}{named}. Log the"
        " model with requirements that go together and have wheels for this Python, or set"
        " serving.environment to Image",
    )


def _lack(what: str, stderr: str, remedy: str) -> PodError:
    """Of what is no bundle's to choose: there the index is at fault."""
    if uv_errors.reason(stderr) is not Reason.ENVIRONMENT_MISMATCH:
        return uv_errors.fault(stderr)
    text = f"{what}: {uv_errors.explanation(stderr)}: {remedy}"
    return PodError(Reason.DOWNLOAD_FAILED, text)
