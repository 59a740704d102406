"""The fleet: many registered models, and a ModelDeployment for each; made fast."""

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.store.db.utils import _initialize_tables
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlModelVersionTag,
    SqlRegisteredModel,
    SqlRegisteredModelAlias,
)
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.waiting import until

ALIAS = "production"
VERSIONS = 3
NAMESPACES = 50
SHARED = "shared"
"""One model that several ModelDeployments follow."""


@dataclass(frozen=True)
class Fleet:
    """`own` ModelDeployments with a model each, then `sharing` ones with one model together."""

    own: int
    sharing: int

    def seed(self, database: Path) -> None:
        """Write the models into MLflow's database, each with three versions and an alias."""
        engine = create_engine(f"sqlite:///{database}")
        _initialize_tables(engine)
        names = [*map(model_of, range(self.own)), SHARED]
        with Session(engine) as session:
            session.add_all(SqlRegisteredModel(name=name) for name in names)
            session.flush()
            versions = list(itertools.product(names, range(1, VERSIONS + 1)))
            session.add_all(SqlModelVersion(name=n, version=v, source=_source(n, v))
                            for n, v in versions)  # fmt: skip
            session.flush()
            session.add_all(
                SqlModelVersionTag(name=n, version=v, key="pennant.sha256", value=_digest(n, v))
                for n, v in versions
            )
            session.add_all(SqlRegisteredModelAlias(name=n, alias=ALIAS, version=1) for n in names)
            session.commit()
        engine.dispose()

    def deploy(self, objects: Objects, registry_url: str) -> None:
        """The ModelRegistry, the namespaces, and every ModelDeployment."""
        registry = {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "ModelRegistry",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            # A hundred aliases that move at once are a fifth of a small fleet's.
            "spec": {"url": registry_url, "brake": {"share": "1"}},
        }
        objects.apply(registry)
        for number in range(NAMESPACES):
            objects.namespace(f"team-{number}")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(objects.apply, self._deployments()))

    def take_webhooks(self, objects: Objects, receiver: str) -> None:
        """Have MLflow send its webhooks to the operator, and return once it was told to."""
        named = {"apiVersion": "v1", "kind": "Secret"}
        metadata = {"name": "hooks", "namespace": NAMESPACE}
        secret = {"webhook-secret": "a secret of the bench"}
        objects.apply({**named, "metadata": metadata, "stringData": secret})
        webhook = {"secret": {"name": "hooks"}, "register": True, "url": receiver}
        objects.patch("ModelRegistry", NAMESPACE, "default", {"spec": {"webhook": webhook}})
        until(lambda: _registry(objects).get("status", {}).get("webhook"), seconds=60)

    def followers(self) -> list[str]:
        """The ModelDeployments that share one model."""
        return [name_of(self.own + number) for number in range(self.sharing)]

    def _deployments(self) -> list[dict[str, object]]:
        own = [_deployment(n, model_of(n)) for n in range(self.own)]
        return own + [_deployment(self.own + n, SHARED) for n in range(self.sharing)]


def model_of(number: int) -> str:
    """The registered model that the ModelDeployment of this number follows."""
    return f"model-{number:05}"


def name_of(number: int) -> str:
    """The ModelDeployment of this number."""
    return f"fleet-{number:05}"


def _registry(objects: Objects) -> dict[str, Any]:
    return objects.get("ModelRegistry", NAMESPACE, "default") or {}


def _deployment(number: int, model: str) -> dict[str, object]:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name_of(number), "namespace": f"team-{number % NAMESPACES}"},
        "spec": {
            "model": {"name": model, "alias": ALIAS},
            "replicas": 1,
            "rollout": {"bake": "1s"},
        },
    }


def _source(name: str, version: int) -> str:
    return f"mlflow-artifacts:/0/{name}/{version}/artifacts"


def _digest(name: str, version: int) -> str:
    return hashlib.sha256(f"{name} {version}".encode()).hexdigest()
