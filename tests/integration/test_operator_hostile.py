"""A tenant who may write ModelDeployments and nothing else changes no other tenant's status.

Specs are made from the CRD's own schema, at its limits, beside what nobody would write; a real API
server takes or refuses them, and real MLflow answers for their models. The same ones in every run.
"""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml

from pennant_testing.control_plane.objects import DEEP, ApiServerError, Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.folders import REPOSITORY
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("default_registry")]

MANY = 60
SEED = 13
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'
CRD = yaml.safe_load((REPOSITORY / "manifests" / "crd" / "modeldeployments.yaml").read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
TEXTS = (
    *("", " ", "a", "..", "%2e%2e", "é" * 60, "x" * 250, "x" * 30_000, "'", '"', "`", "\\", "<&>"),
    *("{{x}}", "$(HOME)", "#", "?a=b", "a\nb", "a\tb", "\u202e", "\u0000", "\U0001f6a9", "*", "-"),
    *("0", "true", "null", "1e999", "latest", "Production", "http://[", "registry/x:y@sha256:z"),
)
QUANTITIES = (0, 1, -1, 10**15, "0", ".5", "500m", "1.5e9", "1e30", "1Gi", "9" * 19, "9" * 38, "-1")
DURATIONS = ("0s", "1ms", "999999h", "999999h999999h", "1.5s", "0.001s0.001s", "5", "-1s")
NAMES = (
    *(
        "never registered",
        "%2e%2e%2f",
        "a b",
        "é" * 60,
        "x" * 250,
        "'; --",
        '"',
        "%",
        "%00",
        "#?&=",
    ),
    *("\u202e", "a\nb", "+", "\\", "*", "$", "`id`", "{}", "~", "latest", "\U0001f6a9"),
)
POINTERS: tuple[dict[str, str], ...] = (
    *({"alias": text} for text in ("production", "PRODUCTION", "-", "_", "a" * 255)),
    *({"stage": text} for text in ("Production", "Staging")),
    *({"version": text} for text in ("1", "2", "77", "9" * 18)),
)
REFUSED_BY_MLFLOW: tuple[dict[str, str], ...] = (
    {"name": "..", "alias": "production"},
    {"name": ".", "alias": "production"},
    {"name": "...", "version": "1"},
    {"name": "a", "version": "9" * 19},
)


class Maker:
    """Makes specs: mostly what the schema allows, seldom what it does not."""

    def __init__(self, seed: int, model: str) -> None:
        self._random = random.Random(seed)
        self._model = model

    def spec(self) -> dict[str, Any]:
        """One that is fine in itself, with up to four fields as they come."""
        model, pointer = {"name": self._model}, {"alias": "production"}
        if self._random.random() < 0.4:
            model, pointer = {"name": self._random.choice(NAMES)}, self._random.choice(POINTERS)
        mangled: dict[str, Any] = {
            "registry": self._random.choice(["default"] * 9 + ["nowhere"]),
            "model": model | pointer,
            "rollout": {"bake": "1s"},
        }
        for _ in range(self._random.randint(0, 4)):
            self._change(SCHEMA, mangled)
        return mangled

    def _change(self, schema: dict[str, Any], within: dict[str, Any]) -> None:
        """One field, at any depth."""
        name = self._random.choice([n for n in schema["properties"] if n != "model"])
        part = schema["properties"][name]
        deeper = "properties" in part and self._random.random() < 0.9
        if deeper and isinstance(within.setdefault(name, {}), dict):
            self._change(part, within[name])
        else:
            within[name] = self._value(part)

    def _value(self, schema: dict[str, Any]) -> Any:
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            return self._anything(3)
        if schema.get("x-kubernetes-int-or-string"):
            return self._random.choice(QUANTITIES)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        match schema["type"]:
            case "boolean":
                return self._random.choice([True, False])
            case "integer":
                low, high = schema.get("minimum", -1), schema.get("maximum", 2**31 - 1)
                return self._random.choice([low, high, low, high, 0, -1, 2**31])
            case "string":
                return self._random.choice((*TEXTS, *DURATIONS))
            case "array":
                return [self._value(schema["items"]) for _ in range(self._random.randint(0, 3))]
        return self._object(schema)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        fields = schema.get("properties", {})
        needed = schema.get("required", [])
        value = {
            name: self._value(part)
            for name, part in fields.items()
            if name in needed or self._random.random() < 0.3
        }
        if "additionalProperties" in schema:
            keys = self._random.sample(("cpu", "memory", "a/b", "nvidia.com/gpu", *TEXTS), 2)
            value |= {key: self._value(schema["additionalProperties"]) for key in keys}
        return value

    def _anything(self, depth: int) -> Any:
        """As where the schema is open; what is not an object there is refused."""
        keys = self._random.sample(("key", "operator", "effect", "secretKeyRef", "name", ""), 2)
        plain = (*TEXTS, *QUANTITIES, None, [], {}, 1.5, DEEP, DEEP)
        inner = [self._anything(depth - 1) if depth else None, *self._random.sample(plain, 3)]
        return {key: self._random.choice(inner) for key in keys}


class Tenant:
    """Writes what it likes in its own namespace; what is refused is not there."""

    def __init__(self, objects: Objects) -> None:
        self.stage = Stage(objects, f"hostile-{uuid4().hex[:8]}")

    def write(self, name: str, spec: dict[str, Any]) -> bool:
        with contextlib.suppress(ApiServerError):
            self.stage.objects.apply(
                {
                    "apiVersion": "pennant.dev/v1alpha1",
                    "kind": "ModelDeployment",
                    "metadata": {"name": name, "namespace": self.stage.namespace},
                    "spec": copy.deepcopy(spec),
                }
            )
            return True
        return False

    def names(self) -> list[str]:
        return list(self.stage.views())

    def unseen(self) -> list[str]:
        """Those of which nothing is told yet, or not of how they are now."""
        return [
            name
            for name, view in self.stage.views().items()
            if view.status.get("observedGeneration") != view.live["metadata"]["generation"]
        ]

    def delete(self, names: list[str]) -> None:
        for name in names:
            self.stage.objects.delete("ModelDeployment", self.stage.namespace, name)


class Good:
    """Two tenants, of a model of their own, that serve and are settled."""

    def __init__(self, objects: Objects, mlflow: Mlflow, model: str) -> None:
        self._mlflow, self.model = mlflow, model
        self._stages = [Stage(objects, f"good-{n}-{model}") for n in "ab"]
        self.promoted = ""

    def promote(self) -> None:
        """Another version, which both serve soon."""
        self.promoted = self._mlflow.register(self.model)
        self._mlflow.promote(self.model, self.promoted)

    def apply(self) -> None:
        for stage in self._stages:
            stage.apply("rec", self.model)

    def serve(self) -> bool:
        settled = {stage.all_serve(self.promoted, ["rec"]) for stage in self._stages}
        return settled == {True}

    def versions(self) -> list[str]:
        """They move with every write, of a status as of anything else."""
        seen = (stage.views()["rec"].live["metadata"] for stage in self._stages)
        return [meta["resourceVersion"] for meta in seen]


@pytest.fixture
def good(running: Operator, objects: Objects, mlflow_url: str) -> Good:
    good = Good(objects, Mlflow(mlflow_url), f"m{uuid4().hex[:8]}")
    good.promote()
    good.apply()
    until(good.serve)
    running.rests()
    return good


@pytest.fixture
def tenant(objects: Objects) -> Iterator[Tenant]:
    tenant = Tenant(objects)
    yield tenant
    tenant.delete(tenant.names())


def polled(running: Operator, seconds: float = 3) -> None:
    """Wait until the registry has answered all that it is asked, later than now."""
    began = running.metric(POLLED)
    until(lambda: running.metric(POLLED) > began + seconds)


def goes_on(running: Operator) -> None:
    """It is the same process, and no ModelDeployment was too much for it."""
    assert running.process.poll() is None
    assert running.get("/healthz")[0] == 200
    log = running.log.read_text()
    assert "EndedError" not in log
    assert "a fault in the operator" not in log, log[log.index("a fault in the operator") :]


def test_whatever_it_writes_nobody_elses_status_changes_and_moves_are_followed(
    running: Operator, good: Good, tenant: Tenant
):
    maker, before = Maker(SEED, good.model), good.versions()
    taken = [tenant.write(f"h{n}", maker.spec()) for n in range(MANY)]
    assert sum(taken) > MANY / 3
    until(lambda: not tenant.unseen(), seen=tenant.unseen)
    polled(running)
    assert good.versions() == before

    names = tenant.names()
    for name in names[::2]:
        tenant.write(name, maker.spec())
    tenant.delete(names[1::4])
    until(lambda: not tenant.unseen(), seen=tenant.unseen)
    polled(running)
    assert good.versions() == before

    good.promote()
    until(good.serve)
    goes_on(running)


def test_brackets_thousands_deep_end_nobodys_watch(running: Operator, good: Good, tenant: Tenant):
    before = good.versions()
    model = {"name": good.model, "alias": "production"}
    assert tenant.write("deep", {"model": model, "serving": {"affinity": {"a": DEEP}}})
    until(lambda: not tenant.unseen(), seen=tenant.unseen)
    polled(running)
    tenant.stage.sees("deep", lambda seen: seen.reason("Stalled") == "WriteRefused")
    assert good.versions() == before
    good.promote()
    until(good.serve)
    goes_on(running)


@pytest.mark.parametrize("model", REFUSED_BY_MLFLOW, ids=str)
def test_a_model_that_mlflow_refuses_to_name_is_nobody_elses_trouble(
    running: Operator, good: Good, tenant: Tenant, model: dict[str, str]
):
    """Whether the API server refuses it as well or not."""
    before = good.versions()
    if tenant.write("refused", {"model": model}):
        until(lambda: not tenant.unseen(), seen=tenant.unseen)
        polled(running)
        assert good.versions() == before
    good.promote()
    until(good.serve)
    goes_on(running)
