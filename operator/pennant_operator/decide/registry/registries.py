"""Parses a ModelRegistry, and says who may use it for what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from pennant_operator.decide.notify.notifiers import Notifier, parse_notifiers
from pennant_operator.decide.registry.brake import DEFAULT_BRAKE, BrakeSpec, parse_brake
from pennant_operator.decide.registry.patterns import matches
from pennant_operator.decide.registry.sources import allowed_with_root
from pennant_operator.decide.seen.observed import Object, PackageIndex, Refused, RegistryFacts
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.durations import parse_duration
from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import NO_GATES, Gates, parse
from pennant_registry.places import LABEL
from pennant_registry.sources import DEFAULT_ALLOWED, joined, listed

MIN_POLL_INTERVAL = timedelta(seconds=1)  # of spec.pollInterval
DIRECT = "Direct"  # spec.artifacts.mode: pods pull from the store behind the server
_ROOT = re.compile(
    r"((s3|gs)://[A-Za-z0-9._-]+|(wasbs|abfss)://[a-z0-9$-]+@[A-Za-z0-9.-]+|pvc://[a-z0-9.-]+)"
    r"(/[^?#%,\\\x00-\x1f\x7f]*)?"
)


class InvalidRegistryError(ValueError):
    """A field that cannot be used; the message names it, its value and what to write."""


@dataclass(frozen=True)
class WebhookSpec:
    """What is needed to take a registry's webhooks."""

    secret: str  # name of a Secret
    url: str | None = None  # where MLflow is told to send them; None: a person tells it


@dataclass(frozen=True)
class WriteBackSpec:
    """That version tags say what becomes of versions here."""

    cluster: str  # what this cluster is called in their keys
    secret: str | None  # name of a Secret; None: the registry's own credentials


@dataclass(frozen=True)
class RegistrySpec:
    """A ModelRegistry's spec, defaults filled in."""

    name: str
    url: str  # without a trailing slash
    credentials_secret: str | None
    ca_bundle: str
    poll_interval: timedelta
    allowed_namespaces: tuple[str, ...]
    allowed_models: tuple[str, ...]
    allowed_sources: tuple[str, ...]
    webhook: WebhookSpec | None = None
    pull_root: str | None = None  # with mode Direct: where pods pull what the server proxies
    proxy: str | None = None  # an http address
    gates: Gates = NO_GATES
    brake: BrakeSpec = DEFAULT_BRAKE
    max_rollouts: int = 20  # that come up at once
    index: PackageIndex | None = None  # None: no bundle brings its own packages
    allowed_images: tuple[str, ...] = ()  # patterns of what a version's tag may name
    write_back: WriteBackSpec | None = None  # None: nothing is written
    notifiers: tuple[Notifier, ...] = ()

    def facts(self, *, braked: bool = False) -> RegistryFacts:
        """What ModelDeployments, and their fetch containers, need of it."""
        return RegistryFacts(
            self.url,
            self.allowed_sources,
            self.allowed_images,
            self.ca_bundle,
            self.proxy or "",
            self.gates,
            braked=braked,
            max_rollouts=self.max_rollouts,
            index=self.index,
            notifiers=tuple(each.recipient for each in self.notifiers),
        )

    def refusal(self, namespace: str, model: str) -> Refused | None:
        """Why a namespace may not follow a model here; None when it may."""
        if not matches(namespace, self.allowed_namespaces):
            fault = f"may not be used from namespace {namespace}"
            cure = f"add {namespace} to its spec.allowedNamespaces"
        elif not matches(model, self.allowed_models):
            fault = f"does not allow the model {model!r}"
            cure = f"add {model} to its spec.allowedModels"
        else:
            return None
        return Refused(
            Reason.NOT_ALLOWED,
            f"ModelRegistry {self.name} {fault}: have its administrator {cure}, "
            "or set spec.registry to another one",
        )


def parse_registry(registry: Object) -> RegistrySpec:
    """The spec of a ModelRegistry object; raises InvalidRegistryError."""
    spec, name = registry.get("spec", {}), registry["metadata"]["name"]
    artifacts = spec.get("artifacts", {})
    root = _root(artifacts)
    return RegistrySpec(
        name=name,
        url=_server(spec.get("url", "")),
        credentials_secret=spec.get("credentialsSecret") or None,
        ca_bundle=spec.get("caBundle", ""),
        poll_interval=_interval(spec.get("pollInterval", "15s")),
        allowed_namespaces=tuple(spec.get("allowedNamespaces", ("*",))),
        allowed_models=tuple(spec.get("allowedModels", ("*",))),
        allowed_sources=allowed_with_root(
            _prefixes(spec.get("allowedSources", DEFAULT_ALLOWED)), root
        ),
        webhook=_webhook(name, spec.get("webhook")),
        pull_root=root if artifacts.get("mode") == DIRECT else None,
        proxy=_proxy(spec["proxy"]) if spec.get("proxy") else None,
        gates=_gates(spec),
        brake=_brake(spec),
        max_rollouts=_max_rollouts(spec.get("maxConcurrentRollouts", 20)),
        index=_index(spec.get("environments")),
        allowed_images=tuple(spec.get("allowedImages", ())),
        write_back=_write_back(spec.get("writeBack")),
        notifiers=parse_notifiers(spec),
    )


def _write_back(given: dict[str, Any] | None) -> WriteBackSpec | None:
    if given is None:
        return None
    cluster = given.get("cluster", "")
    if not re.fullmatch(LABEL, cluster):
        raise InvalidRegistryError(
            f"spec.writeBack.cluster {cluster!r} is no name for a cluster: write up to 63 lower "
            "case letters, digits and '-', such as eu-1"
        )
    return WriteBackSpec(cluster, given.get("credentialsSecret") or None)


def _gates(spec: dict[str, Any]) -> Gates:
    try:
        return parse(spec.get("gates") or {}, "spec.gates")
    except InvalidGateError as error:
        raise InvalidRegistryError(str(error)) from error


def _brake(spec: dict[str, Any]) -> BrakeSpec:
    try:
        return parse_brake(spec.get("brake") or {})
    except ValueError as error:
        raise InvalidRegistryError(str(error)) from error


def _max_rollouts(given: int) -> int:
    if given < 1:
        raise InvalidRegistryError(
            f"spec.maxConcurrentRollouts {given!r} is too small: write 1 or more"
        )
    return given


def _webhook(name: str, webhook: dict[str, Any] | None) -> WebhookSpec | None:
    if webhook is None:
        return None
    secret = webhook.get("secret", {}).get("name")
    if not secret:
        raise InvalidRegistryError("spec.webhook.secret.name is missing: name a Secret")
    if not webhook.get("register"):
        return WebhookSpec(secret)
    return WebhookSpec(secret, _url("spec.webhook.url", webhook.get("url", "")) + f"/hooks/{name}")


def _index(environments: dict[str, Any] | None) -> PackageIndex | None:
    if environments is None:
        return None
    if not environments.get("indexURL"):
        raise InvalidRegistryError(
            "spec.environments.indexURL is missing: write the address of a package index, such as "
            "https://packages.example.com/simple"
        )
    extra = enumerate(environments.get("extraIndexURLs", ()))
    return PackageIndex(
        _index_url("spec.environments.indexURL", environments["indexURL"]),
        tuple(_index_url(f"spec.environments.extraIndexURLs[{n}]", url) for n, url in extra),
        environments.get("credentialsSecret") or None,
    )


def _index_url(field: str, text: str) -> str:
    """Without a space: fetch is told of several in one text."""
    if re.search(r"\s", text):
        raise InvalidRegistryError(f"{field} {text!r} holds a space: write one address")
    return _url(field, text, "spec.environments.credentialsSecret")


def _root(artifacts: dict[str, Any]) -> str | None:
    root = str(artifacts.get("root", "")).rstrip("/")
    if not root and artifacts.get("mode") == DIRECT:
        raise InvalidRegistryError(
            "spec.artifacts.root is missing: write the MLflow server's --artifacts-destination"
        )
    if root and (not _ROOT.fullmatch(root) or not {"..", "."}.isdisjoint(root.split("/"))):
        raise InvalidRegistryError(
            f"spec.artifacts.root {root.partition(':')[0]}:... is not such as s3://bucket/prefix, "
            "without credentials and query"
        )
    return root or None


def _prefixes(given: Sequence[str]) -> tuple[str, ...]:
    """As they are: fetch is told of them in one text, and must read what the operator does."""
    for prefix in given:
        if listed(joined([prefix])) != (prefix,):
            raise InvalidRegistryError(
                f"spec.allowedSources {prefix!r} is empty, holds a comma, or begins or ends with a "
                "space: write one prefix for each item"
            )
    return tuple(given)


def _server(text: str) -> str:
    if text.startswith("databricks"):
        raise InvalidRegistryError(
            f"spec.url {text!r} names Databricks, whose registries (Unity Catalog's too) are not "
            "supported: use the address of an MLflow server"
        )
    return _url("spec.url", text)


def _proxy(text: str) -> str:
    if not text.startswith("http://"):
        raise InvalidRegistryError(
            f"spec.proxy {text!r} is not an http address: write for example http://proxy:3128 "
            "(an https spec.url stays encrypted through it)"
        )
    return _url("spec.proxy", text)


def _url(field: str, text: str, named_in: str = "spec.credentialsSecret") -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # half an IPv6 address, a port that is none
        usable = False
    if not usable:
        raise InvalidRegistryError(f"{field} {text!r} is not an http or https address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidRegistryError(
            f"{field} names user, query or fragment at {parts.hostname}: write the address alone, "
            f"and credentials into the Secret that {named_in} names"
        )
    return text.rstrip("/")


def _interval(text: str) -> timedelta:
    try:
        interval = parse_duration(text)
    except ValueError as error:
        raise InvalidRegistryError(f"spec.pollInterval: {error}") from error
    if interval < MIN_POLL_INTERVAL:
        raise InvalidRegistryError(f"spec.pollInterval {text!r} is too short: write 1s or more")
    return interval
