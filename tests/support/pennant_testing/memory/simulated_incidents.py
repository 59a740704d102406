"""What befalls a simulated cluster: people who edit and delete, and nodes that end pods."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pennant_testing.memory.cluster_state import (
    SLOTS,
    owner_uid,
)
from pennant_testing.memory.object_builders import rollout_action
from pennant_testing.memory.simulated_api_server import SimulatedApiServer


class SimulatedIncidents(SimulatedApiServer):
    """Each is one thing that a person or a node does."""

    def specify(self, **fields: Any) -> None:
        """A person changes the spec."""
        before, meta = self.owner["spec"], self.owner["metadata"]
        spec = {**before, **fields}
        meta = {**meta, "generation": meta["generation"] + (spec != before)}
        self.owner = {**self.owner, "metadata": meta, "spec": spec}

    def act(self, action: str, *, name: str = "", **spec: Any) -> str:
        """A person creates a RolloutAction; its name."""
        made = rollout_action(action, name=name, created=self.now, **spec)
        self.actions[made["metadata"]["name"]] = made
        return str(made["metadata"]["name"])

    def orphan(self) -> None:
        """The ModelDeployment is deleted with --cascade=orphan and created again."""
        self.recreate()
        for key in self.children:
            self._refer(key, [])
        self.owners = dict.fromkeys(self.owners)

    def recreate(self) -> None:
        """The ModelDeployment is deleted and created again at once."""
        self.counter += 1
        meta = {**self.owner["metadata"], "uid": f"uid-{self.counter}"}
        self.owner = {**self.owner, "metadata": meta, "status": {"observedGeneration": -1}}

    def collect_garbage(self) -> None:
        """What deleted ModelDeployments left goes."""
        uid = self.owner["metadata"]["uid"]
        self.children = {k: c for k, c in self.children.items() if owner_uid(c) in {uid, None}}
        self.records = self.own_records()
        self.owners = {revision: self.owners[revision] for revision in self.records}

    def aim(self, **edits: str) -> None:
        """A person edits what has traffic: `selector`, `slot` beside it, `revision`, `since`."""
        if (service := self.children.get(f"Service/{self.owner['metadata']['name']}")) is None:
            return
        if service["metadata"].get("annotations", {}).get("pennant.dev/active-slot") not in SLOTS:
            return
        edited = copy.deepcopy(service)
        self.counter += 1
        edited["metadata"]["resourceVersion"] = str(self.counter)
        if (slot := edits.pop("selector", None)) is not None:
            edited["spec"]["selector"]["pennant.dev/slot"] = slot
        for name, text in edits.items():
            edited["metadata"]["annotations"][f"pennant.dev/active-{name}"] = text
        self.children[f"Service/{edited['metadata']['name']}"] = edited

    def edit(self, slot: str) -> dict[str, Any]:
        """The Deployment of a slot, to be changed by hand."""
        deployment = copy.deepcopy(self.deployment(slot))
        assert deployment is not None
        self.counter += 1
        deployment["metadata"]["resourceVersion"] = str(self.counter)
        deployment["metadata"]["generation"] += 1
        self.children[f"Deployment/{deployment['metadata']['name']}"] = deployment
        return deployment

    def somebody_has(self, name: str | None) -> None:
        """An object of a child's name is somebody else's, as if ours had been deleted.

        None: none is any more.
        """
        others = [k for k, c in self.children.items() if c["metadata"]["uid"] == "other"]
        if name is None:
            self.children = {k: c for k, c in self.children.items() if k not in others}
        else:
            kind, plain = name.split("/")
            meta = {"name": plain, "uid": "other", "resourceVersion": "1", "generation": 1}
            self.children[name] = {"kind": kind, "metadata": meta, "spec": {}}

    def evict(self, slot: str) -> None:
        """A node ends the first pod of a slot."""
        for number, pod in enumerate(self.pods[slot]):
            if not pod.terminating and not pod.evicted:
                self.pods[slot][number] = replace(pod, ready=False, evicted="Evicted: disk full")
                return

    def dies(self, node: str | None) -> None:
        """A node answers nothing any more, nor do its pods. None: it is back."""
        self.lacks.dead = node

    def taint(self) -> None:
        """The pods of the dead node are deleted, and stay."""
        node = self.lacks.dead
        ends_by = self.now + timedelta(seconds=30)
        for slot, pods in self.pods.items():
            self.pods[slot] = [
                replace(p, ready=False, terminating=True, ends_by=p.ends_by or ends_by)
                if node is not None and p.node == node and p.evicted is None
                else p
                for p in pods
            ]
