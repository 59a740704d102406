"""The real servers around a real operator, and what may be done to them."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field
from typing import Any

from soak.servers import Servers

from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.control_plane.pretended_kubelet import cannot_load, ready
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.lying_proxy import Proxy
from pennant_testing.mlflow.mlflow_server import Mlflow

GOOD, BROKEN = ("1", "2", "3"), ("4", "5")
EDITED = "an-image-of-mine"
OTHER_DIGEST = "cd" * 32
TROUBLES = (
    lying_proxy.down,
    lying_proxy.slow,
    lying_proxy.error_500,
    lying_proxy.wrong_host,
    lying_proxy.unauthorized,
    lying_proxy.login_page,
    lying_proxy.cut_off,
    lying_proxy.half_json,
    lying_proxy.second_page_fails,
    lying_proxy.empty_database,
    lying_proxy.page_skips,
)


@dataclass
class Follower:
    """One ModelDeployment, and what was last asked of it."""

    name: str
    version: str = "1"
    replicas: int = 1
    env: str = "a"
    proved: bool = True  # nothing that is broken was promoted since it was last settled


@dataclass
class World:
    """The stage; every method named in STEPS is a thing that happens."""

    servers: Servers
    stage: Stage
    proxy: Proxy
    random: random.Random
    opened: contextlib.ExitStack
    followers: list[Follower] = field(default_factory=list)
    running: Operator | None = None
    logs: list[Operator] = field(default_factory=list)
    well: bool = True  # the registry

    def begin(self, count: int) -> None:
        self.mlflow = Mlflow(self.servers.mlflow_url)
        self.stage.registry("default", self.proxy.url, brake={"share": "1"})
        for number in range(count):
            follower = Follower(f"model-{number}")
            for version in (*GOOD, *BROKEN):
                tags = {"pennant.sha256": "ab" * 32} if version in {"3", "5"} else {}
                assert self.mlflow.register(follower.name, **tags) == version
            self.stage.kubelet.fates[follower.name, "4"] = cannot_load()
            self.stage.kubelet.fates[follower.name, "5"] = ready(OTHER_DIGEST)
            self.mlflow.promote(follower.name, "1")
            self.apply(follower)
            self.followers.append(follower)
        self.operator_starts()

    def apply(self, follower: Follower) -> None:
        serving = {"env": [{"name": "A", "value": follower.env}]}
        self.stage.apply(follower.name, follower.name, replicas=follower.replicas, serving=serving)

    # What may happen.

    def alias_moves(self) -> None:
        follower = self._any()
        choice = (*GOOD, *BROKEN) if follower.replicas else GOOD
        follower.version = self.random.choice(choice)
        follower.proved = follower.proved and follower.version in GOOD
        self.mlflow.promote(follower.name, follower.version)

    def registry_fails(self) -> None:
        self.registry_recovers()
        self.well = False
        self.proxy.fail(self.random.choice(TROUBLES))

    def registry_recovers(self) -> None:
        self.well = True
        self.proxy.recover()

    def operator_dies(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running = None

    def operator_starts(self) -> None:
        if self.running is None:
            settings = {**ALONE, "PENNANT_DECISIONS": "full"}
            started = operator(self.servers.kubeconfig, self.servers.folder, **settings)
            self.running = self.opened.enter_context(started)
            self.logs.append(self.running)

    def size_changes(self) -> None:
        follower = self._any()
        # Without pods nothing is proved: a version that is broken would get the traffic.
        sizes = (0, 1, 2, 3) if follower.proved else (1, 2, 3)
        follower.replicas = self.random.choice(sizes)
        self.apply(follower)

    def spec_changes(self) -> None:
        follower = self._any()
        follower.env = self.random.choice("abc")
        self.apply(follower)

    def hand_scales(self) -> None:
        self._edit({"spec": {"replicas": self.random.randrange(4)}})

    def hand_edits(self) -> None:
        """Another image, in whatever slot: drift, that is put back."""
        name = self.random.choice(self.stage.deployments(self._any().name) or [None])
        if name is not None:
            containers = name["spec"]["template"]["spec"]["containers"]
            containers[0]["image"] = EDITED
            body = {"spec": {"template": {"spec": {"containers": containers}}}}
            self._patch(name["metadata"]["name"], body)

    def hand_deletes(self) -> None:
        follower = self._any().name
        kind, name = self.random.choice(
            [
                ("Service", follower),
                ("Deployment", f"{follower}-blue"),
                ("Deployment", f"{follower}-green"),
                ("ConfigMap", f"{follower}-digests"),
            ]
        )
        if self.stage.objects.get(kind, self.stage.namespace, name):
            self.stage.objects.delete(kind, self.stage.namespace, name)

    def time_passes(self) -> None:
        """The cluster works meanwhile."""
        for _ in range(self.random.randrange(1, 6)):
            self.stage.look()

    def _any(self) -> Follower:
        return self.random.choice(self.followers)

    def _edit(self, body: dict[str, Any]) -> None:
        found = self.stage.deployments(self._any().name)
        if found:
            self._patch(self.random.choice(found)["metadata"]["name"], body)

    def _patch(self, name: str, body: dict[str, Any]) -> None:
        self.stage.objects.patch("Deployment", self.stage.namespace, name, body)


# What happens, and how often beside the others.
STEPS = {
    World.alias_moves: 6,
    World.registry_fails: 2,
    World.registry_recovers: 1,
    World.operator_dies: 4,
    World.operator_starts: 4,
    World.size_changes: 2,
    World.spec_changes: 1,
    World.hand_scales: 1,
    World.hand_edits: 1,
    World.hand_deletes: 1,
    World.time_passes: 8,
}
