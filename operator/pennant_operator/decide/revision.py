"""A revision: one immutable thing to run, and the record kept of it.

Its name is a hash of what a person decided (registry, model, version and when that version was
created, `spec.serving` as written). What was resolved at first contact and the manifest that was
rendered then are recorded in an immutable ControllerRevision and never compared again: a new
operator that renders differently rolls nothing by itself (law 5).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.pods import SERVE

FORMAT = 1
LENGTH = 10  # hex digits: 40 bits name a handful of revisions of one object


@dataclass(frozen=True)
class Record:
    """What the ControllerRevision child of one revision holds."""

    revision: str
    model: str
    version: str
    source: str
    sha256: str | None
    manifest: dict[str, Any]  # the Deployment, without name, slot and replicas filled in
    uid: str = ""
    resource_version: str = ""
    number: int = 0
    registry: str = ""  # these three are absent from records of earlier operators
    created: int = 0  # the version, in the registry's milliseconds
    registered: int = 0  # its model, likewise

    @property
    def container(self) -> dict[str, Any]:
        """The one that answers requests, as recorded."""
        containers = self.manifest["spec"]["template"]["spec"]["containers"]
        return next((each for each in containers if each["name"] == SERVE), {})

    def with_serving(self, serving: dict[str, Any]) -> str:
        """The revision of this version with another `spec.serving`, or its own with the same."""
        return revision_of(
            registry=self.registry,
            model=self.model,
            version=self.version,
            created=self.created,
            serving=serving,
        )


def revision_of(
    *, registry: str, model: str, version: str, created: int, serving: dict[str, Any]
) -> str:
    """The revision's name; `serving` is `spec.serving` as written, absent fields absent."""
    identity = [registry, model, version, created, serving]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def to_data(record: Record) -> dict[str, Any]:
    """The `data` of the ControllerRevision."""
    return {
        "format": FORMAT,
        "model": record.model,
        "version": record.version,
        "registry": record.registry,
        "created": record.created,
        "registered": record.registered,
        "source": record.source,
        "sha256": record.sha256,
        "manifest": record.manifest,
    }


def from_object(obj: dict[str, Any], *, revision: str) -> Record:
    """The record in a ControllerRevision as the API server returns it."""
    data, meta = obj["data"], obj["metadata"]
    return Record(
        revision=revision,
        model=data["model"],
        version=data["version"],
        source=data["source"],
        sha256=data.get("sha256"),
        manifest=data["manifest"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        number=obj.get("revision", 0),
        registry=data.get("registry", ""),
        created=data.get("created", 0),
        registered=data.get("registered", 0),
    )
