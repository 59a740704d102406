"""What can be known of a version without loading it: texts, by section and name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pennant_registry import artifacts, lock_form, names, version_facts, versions
from pennant_registry.errors import RegistryError
from pennant_registry.gates import BundleFacts
from pennant_registry.gates.signatures import typed
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

Section = Mapping[str, str]
Sheet = Mapping[str, Section]
NOT_KNOWN = "not known"
"""The only name of a section that cannot be had; its text is why."""
OWN_TAGS = {names.TAG_DATASET, names.TAG_COMMIT, names.TAG_OWNER, names.TAG_IMAGE}
"""Of `pennant.`: the others tell of moves and places, or have a section."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(\[[^\]]*\])?")


def sheet(client: MlflowClient, version: Version) -> Sheet:
    """All sections; where one cannot be had, it says so."""
    bundle = version_facts.bundle_of(client, version)
    return {
        "metrics": _known(lambda: _metrics(version_facts.metrics_of(client, version))),
        "params": _known(lambda: _params(client, version)),
        "tags": _tags(version),
        "flavors": _flavors(bundle),
        "signature": _signature(bundle),
        "requirements": _known(lambda: _requirements(client, version, bundle)),
        "bundle": dict(_bundle(version)),
    }


def _known(ask: Callable[[], Section]) -> Section:
    try:
        return ask()
    except (RegistryError, OSError) as error:
        return {NOT_KNOWN: str(error)}


def _bundle(version: Version) -> Iterator[tuple[str, str]]:
    if version.sha256 is not None:
        yield "sha256", version.sha256
    if version.run_id is not None:
        yield "run", version.run_id
    yield "source", version.source
    if value := version.tags.get(names.TAG_ENVIRONMENT):
        try:
            yield "lock", lock_form.read(value).digest
        except ValueError as error:
            yield "lock", f"its tag {names.TAG_ENVIRONMENT} {error}"


def _metrics(known: Mapping[str, float] | str) -> Section:
    if isinstance(known, str):
        return {NOT_KNOWN: known}
    return {name: f"{value:.10g}" for name, value in known.items()}


def _params(client: MlflowClient, version: Version) -> Section:
    if version.run_id is None:
        return {}
    return dict(artifacts.get_run(client, version.run_id).data.params)


def _tags(version: Version) -> Section:
    own = f"{names.TAG_SHA256.partition('.')[0]}."
    tags = version.tags.items()
    return {key: text for key, text in tags if key in OWN_TAGS or not key.startswith(own)}


def _flavors(bundle: BundleFacts | str) -> Section:
    if isinstance(bundle, str):
        return {NOT_KNOWN: bundle}
    return dict.fromkeys(bundle.flavors, "yes")


def _signature(bundle: BundleFacts | str) -> Section:
    if isinstance(bundle, str):
        return {NOT_KNOWN: bundle}
    parts = bundle.signature or {}
    inputs = dict(_fields("input", parts.get("inputs") or ()))
    return inputs | dict(_fields("param", parts.get("params") or ()))


def _fields(kind: str, fields: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for at, field in enumerate(fields):
        optional = "" if field.get("required", True) else ", optional"
        yield f"{kind} {field.get('name', at)}", typed(field) + optional


def _requirements(client: MlflowClient, version: Version, bundle: BundleFacts | str) -> Section:
    if not isinstance(bundle, BundleFacts) or not bundle.flavors:
        return {}  # no MLflow model, which would have them
    source = versions.download_uri(client, version)
    with tempfile.TemporaryDirectory(prefix="pennant-diff-") as folder:
        file = artifacts.download(client, f"{source}/requirements.txt", Path(folder))
        lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    return dict(_requirement(line.strip()) for line in lines if line.strip(" \t#"))


def _requirement(line: str) -> tuple[str, str]:
    """By the package, as indexes compare it; a line that names none is its own name."""
    match = _NAME.match(line)
    if match is None:
        return line, "yes"
    rest = line[match.end() :].strip()
    return re.sub(r"[-_.]+", "-", match[0]).lower(), rest or "any"
