"""The Deployment controller and the kubelets of a simulated cluster: pods come, fare and go."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pennant_operator.decide.seen.environment import (
    InstalledEnvironment,
    environment_from_lock,
    environment_from_pin,
    environment_from_report,
)
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_testing.memory.cluster_state import REVISION, SLOTS, ClusterState
from pennant_testing.memory.object_builders import installed
from pennant_testing.memory.simulated_pods import becomes_ready


class SimulatedControllers(ClusterState):
    """What works by itself between two looks."""

    def work(self) -> None:
        """What they do between two looks."""
        self.controllers()
        self.kubelets()
        self.report()

    def controllers(self) -> None:
        """The ReplicaSets are told what the Deployments say now."""
        self.asked = {}
        for slot in SLOTS:
            if (deployment := self.deployment(slot)) is not None:
                labels = deployment["spec"]["template"]["metadata"]["labels"]
                self._note_packages(deployment, labels.get(REVISION, ""))
                self.asked[slot] = labels.get(REVISION, ""), deployment["spec"]["replicas"]
                generation = deployment["metadata"]["generation"]
                self._report(deployment, observedGeneration=generation)
        self.lobby_asked = self.lobby["spec"]["replicas"] if self.lobby else 0

    def _note_packages(self, deployment: Object, revision: str) -> None:
        """Whether its pods install any, and which, where it says so itself."""
        variables = {
            each["name"]: each.get("value")
            for container in deployment["spec"]["template"]["spec"].get("initContainers", ())
            for each in container.get("env", ())
        }
        if "PENNANT_ENVIRONMENT" in variables:
            self.installs.add(revision)
        if lock := variables.get("PENNANT_PINNED_ENVIRONMENT"):
            self.locks[revision] = lock.replace("$$", "$")

    def kubelets(self) -> None:
        """Pods come, become what they become, and leave; leaving takes until the next time."""
        there = sum(p.evicted is None for pods in self.pods.values() for p in pods)
        all_pods = [p for pods in self.pods.values() for p in pods]
        lives = self.lacks.placed(all_pods, self._lives)
        for slot, pods in self.pods.items():
            revision, size = self.asked.get(slot, ("", 0))
            living = [p for p in pods if not p.terminating and p.evicted is None]
            staying = [p for p in living if p.revision == revision][:size]
            grace = self.now + timedelta(seconds=30)
            leaving = [
                replace(p, terminating=True, ends_by=grace) for p in living if p not in staying
            ]
            leaving += [
                replace(p, ready=False)
                for p in pods
                if p.terminating and p.node == (self.lacks.dead or "none")
            ]
            wanted = size - len(staying)
            new = self.lacks.admitted(slot, wanted, there)
            there += new
            self.refused[slot] = new < wanted
            coming = [self._new(slot, len(staying) + n, revision) for n in range(new)]
            evicted = [p for p in pods if p.evicted is not None]
            alive = [self.lacks.answers(lives(p)) for p in (*staying, *coming)]
            self.pods[slot] = [*alive, *leaving, *evicted]
        admitted = self.lacks.admitted("lobby", self.lobby_asked, there)
        self.lobby_pods = 0 if self.lacks.lobby else admitted

    def report(self) -> None:
        """The Deployments' status."""
        for slot in SLOTS:
            if (deployment := self.deployment(slot)) is not None:
                living = [p for p in self.pods[slot] if not p.terminating and p.evicted is None]
                ready = sum(p.ready for p in living)
                conditions = deployment.get("status", {}).get("conditions", [])
                if slot not in self.lacks.refuses:
                    conditions = self.lacks.reported(
                        conditions, refused=self.refused[slot], now=self.now
                    )
                counts = {"replicas": len(living), "readyReplicas": ready}
                self._report(deployment, **counts, conditions=conditions)
        if self.lobby is not None:
            generation, ready = self.lobby["metadata"]["generation"], self.lobby_pods
            self._report(
                self.lobby, observedGeneration=generation, replicas=ready, readyReplicas=ready
            )

    def _report(self, deployment: dict[str, Any], **counts: Any) -> None:
        status = {**deployment.get("status", {}), **counts}
        if status != deployment.get("status"):
            self.counter += 1
            meta = {**deployment["metadata"], "resourceVersion": str(self.counter)}
            key = f"Deployment/{meta['name']}"
            self.children[key] = {**deployment, "metadata": meta, "status": status}

    def _new(self, slot: str, number: int, revision: str) -> PodFacts:
        self.counter += 1
        number = self.lacks.avoids_the_dead(number)
        return PodFacts(
            name=f"{slot}-{number}-{self.counter}",
            uid=f"pod-{self.counter}",
            resource_version=str(self.counter),
            revision=revision,
            node=self.lacks.node(number),
            created=self.now,
        )

    def _installed(self, pod: PodFacts) -> InstalledEnvironment | None:
        """What is locked or pinned, or else what the index has when the pod comes."""
        if pod.revision not in self.installs:
            return None
        if lock := self.locks.get(pod.revision):
            return environment_from_lock(lock)
        pins = self.children.get(f"ConfigMap/{self.owner['metadata']['name']}-digests", {})
        pin = (pins.get("data") or {}).get(f"environment.{pod.revision}")
        return environment_from_pin(pin) or environment_from_report(installed(self.packages))

    def _lives(self, pod: PodFacts) -> PodFacts:
        fresh = PodFacts(
            name=pod.name,
            uid=pod.uid,
            resource_version=pod.resource_version,
            revision=pod.revision,
            node=self.lacks.node(int(pod.name.split("-")[1])),
            created=pod.created,
            address=f"{pod.name}:8080" if self.answers else "",
            shares=pod.shares,
            digest=f"sha-of-{self.versions[pod.revision]}",
            environment=pod.environment or self._installed(pod),  # once: the volume holds it
        )
        return self.behaviour.get(self.versions[pod.revision], becomes_ready)(fresh)
