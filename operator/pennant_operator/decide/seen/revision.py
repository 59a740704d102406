"""A revision: one immutable thing to run, and the record kept of it.

Its name is a hash of what a person decided (registry, model, version and when that version was
created, `spec.serving` and `spec.environmentCheck` as written, the image that the version's tag
named at first contact and, where its pods install packages, the lock that another tag held then).
What was resolved then and the manifest that was rendered are recorded in an immutable
ControllerRevision and never compared again: a new operator that renders differently rolls nothing
by itself (law 5).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from pennant_operator.decide.seen.environment import INSTALLS
from pennant_operator.decide.seen.spec import BUNDLE
from pennant_operator.decide.vocabulary import FETCH, LABEL_DEPLOYMENT, LABEL_REVISION, SERVE

RECORD_FORMAT = 1
SHARES_VARIABLE = "PENNANT_TRAFFIC_FILE"  # by which pods learn whom to hand requests over to
SERVER_COMMAND = ["python", "-m", "pennant_serving"]  # of our own server, as every record has it
REVISION_LENGTH = 10  # hex digits: 40 bits name a handful of revisions of one object
T = TypeVar("T")


class UnreadableRecordError(ValueError):
    """What is labelled as a record of ours and is none that this operator can read; says why."""


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
    image: str | None = None  # that the version's tag named at first contact
    environment: str | None = None  # the packages that its other tag locked then, likewise

    @property
    def container(self) -> dict[str, Any]:
        """The one that answers requests, as recorded."""
        containers = self.manifest["spec"]["template"]["spec"]["containers"]
        return next((each for each in containers if each["name"] == SERVE), {})

    @property
    def fetch_container(self) -> dict[str, Any]:
        """The one that gets the bundle, as recorded: of another operator it may be anything."""
        containers = self.manifest["spec"]["template"]["spec"].get("initContainers")
        every = containers if isinstance(containers, list) else ()
        fetch = (each for each in every if isinstance(each, dict) and each.get("name") == FETCH)
        return next(fetch, {})

    @property
    def installs(self) -> bool:
        """Whether its pods install the packages that the bundle asks for."""
        env = self.fetch_container.get("env")
        return isinstance(env, list) and INSTALLS in env

    @property
    def is_our_server(self) -> bool:
        """Whether that is Pennant's, which tells how it answers, or one of the user's own."""
        return bool(self.container.get("command") == SERVER_COMMAND)

    @property
    def can_share(self) -> bool:
        """Whether its pods hand requests over: those from before that was known do not."""
        env = self.container.get("env")
        variables = (
            [each for each in env if isinstance(each, dict)] if isinstance(env, list) else ()
        )
        return any(each.get("name") == SHARES_VARIABLE for each in variables)

    def with_spec(self, serving: dict[str, Any], environment_check: str | None) -> str:
        """The revision of this version with what another spec has, or its own with the same."""
        return revision_of(
            registry=self.registry,
            model=self.model,
            version=self.version,
            created=self.created,
            serving=serving,
            environment_check=environment_check,
            image=self.image,
            environment=self.environment,
        )


def revision_of(
    *,
    registry: str,
    model: str,
    version: str,
    created: int,
    serving: dict[str, Any],
    environment_check: str | None = None,
    image: str | None = None,
    environment: str | None = None,
) -> str:
    """The revision's name; `serving` is `spec.serving` as written, absent fields absent.

    The last three are no part of it where they are absent: it is called as before there were any.
    Nor is the last one where its pods install nothing.
    """
    identity: list[Any] = [registry, model, version, created, serving]
    locked = environment if serving.get("environment") == BUNDLE else None
    optional = {"environmentCheck": environment_check, "image": image, "environment": locked}
    if given := {name: value for name, value in optional.items() if value is not None}:
        identity.append(given)
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:REVISION_LENGTH]


def record_data(record: Record) -> dict[str, Any]:
    """The `data` of the ControllerRevision."""
    return {
        "format": RECORD_FORMAT,
        "model": record.model,
        "version": record.version,
        "registry": record.registry,
        "created": record.created,
        "registered": record.registered,
        "source": record.source,
        "sha256": record.sha256,
        **({} if record.image is None else {"image": record.image}),
        **({} if record.environment is None else {"environment": record.environment}),
        "manifest": record.manifest,
    }


def record_from_object(obj: dict[str, Any]) -> Record:
    """The record in a ControllerRevision as the API server returns it.

    Its `data` may be anything, and so may its labels: raises UnreadableRecordError.
    """
    data, meta = obj.get("data"), obj["metadata"]
    if not isinstance(data, dict) or type(record_format := data.get("format")) is not int:
        raise UnreadableRecordError("it has no data.format")
    if record_format != RECORD_FORMAT:
        raise UnreadableRecordError(
            f"data.format is {record_format}, and this operator reads {RECORD_FORMAT}"
        )
    return Record(
        revision=_labelled_revision(meta),
        model=_typed_field(data, "model", str),
        version=_typed_field(data, "version", str),
        source=_typed_field(data, "source", str),
        sha256=_optional_text(data, "sha256"),
        manifest=_checked_manifest(_typed_field(data, "manifest", dict), meta),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        number=obj.get("revision", 0),
        registry=_typed_field({"registry": ""} | data, "registry", str),
        created=_typed_field({"created": 0} | data, "created", int),
        registered=_typed_field({"registered": 0} | data, "registered", int),
        image=_optional_text(data, "image"),
        environment=_optional_text(data, "environment"),
    )


def _labelled_revision(meta: dict[str, Any]) -> str:
    """Whoever is called otherwise would stand for a revision that has a record of its own."""
    labels = meta.get("labels", {})
    revision = str(labels.get(LABEL_REVISION, ""))
    if not revision or meta["name"] != f"{labels.get(LABEL_DEPLOYMENT)}-{revision}":
        raise UnreadableRecordError(f"its label {LABEL_REVISION} is {revision!r}")
    return revision


def _checked_manifest(manifest: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    """It is applied as it stands: as a Deployment, and beside its record."""
    where = _typed_field(manifest, "metadata.namespace", str)
    if where != meta["namespace"]:
        raise UnreadableRecordError(f"data.manifest.metadata.namespace is {where!r}")
    kind = manifest.get("apiVersion"), manifest.get("kind")
    if kind != ("apps/v1", "Deployment"):
        raise UnreadableRecordError("data.manifest is no Deployment")
    for path in (
        *("metadata.labels", "spec.selector.matchLabels"),
        *("spec.template.metadata.labels", "spec.template.spec"),
    ):
        _typed_field(manifest, path, dict)
    for container in _typed_field(manifest, "spec.template.spec.containers", list):
        _typed_field({"container": container}, "container.name", str)
        for port in _typed_field({"ports": []} | container, "ports", list):
            _typed_field({"port": port}, "port", dict)
    _check_names(manifest)
    return manifest


def _check_names(manifest: dict[str, Any]) -> None:
    """Lists are compared by the names in them."""
    parts: list[Any] = [manifest]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "name" in part:
                _typed_field(part, "name", str)
            parts += part.values()
        elif isinstance(part, list):
            parts += part


def _optional_text(data: dict[str, Any], name: str) -> str | None:
    return None if data.get(name) is None else _typed_field(data, name, str)


def _typed_field(within: dict[str, Any], path: str, kind: type[T]) -> T:
    """What is there, if it is of exactly this type: to Python, true is a number."""
    value: Any = within
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if type(value) is not kind:
        raise UnreadableRecordError(f"{path} is a {type(value).__name__}, not a {kind.__name__}")
    return value
