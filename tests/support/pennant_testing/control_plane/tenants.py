"""Tenants of one operator: each test of a module has a namespace and a model of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow.lying_proxy import Proxy
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.running.side_by_side import Begun, begin
from pennant_testing.waiting import until


@dataclass(frozen=True)
class Tenant:
    """A namespace, and a model whose version 1 is promoted."""

    running: Operator
    stage: Stage
    mlflow: Mlflow
    url: str
    model: str

    def own_registry(self) -> None:
        """A ModelRegistry that has the model's name."""
        self.stage.registry(self.model, self.url)

    def follow(self, name: str, **spec: object) -> None:
        """Apply a ModelDeployment that follows the model by that registry."""
        self.stage.apply(name, self.model, registry=self.model, **spec)

    def promote_another(self) -> str:
        """A new version, which the alias points at."""
        version = self.mlflow.register(self.model)
        self.mlflow.promote(self.model, version)
        return version


@contextlib.contextmanager
def tenants(
    request: pytest.FixtureRequest,
    running: Operator,
    objects: Objects,
    url: str,
    prepare: Callable[[Tenant], None] = lambda _: None,
) -> Iterator[Begun]:
    """Begin the tests of the fixture's module side by side, each with a tenant of its own."""
    mlflow = Mlflow(url)

    @contextlib.contextmanager
    def tenant() -> Iterator[Tenant]:
        model = f"m{uuid4().hex[:8]}"
        made = Tenant(running, Stage(objects, f"of-{model}"), mlflow, url, model)
        made.promote_another()
        prepare(made)
        yield made

    with begin(request, tenant) as tests:
        yield tests


def registry_ready(objects: Objects, name: str) -> dict[str, str]:
    """The condition `Ready` of a ModelRegistry; empty while there is none."""
    return View(objects.get("ModelRegistry", NAMESPACE, name) or {}).condition("Ready")


def wait_for_polls(proxy: Proxy) -> None:
    """Wait until it was asked twice more: one poll at least began and ended since."""
    before = len(proxy.asked)
    until(lambda: len(proxy.asked) > before + 1)
