"""The API server of a simulated cluster: what it takes, what it refuses, and what it shows."""

import copy
from dataclasses import replace
from typing import Any

from pennant_operator.decide.goal.ownership import controller_reference
from pennant_operator.decide.intent import (
    ActionStatus,
    Adopt,
    AnnotatePod,
    Apply,
    Create,
    CreateToken,
    Delete,
)
from pennant_operator.decide.seen.revision import record_from_object
from pennant_operator.decide.times import format_time
from pennant_testing.memory import managed_fields
from pennant_testing.memory.cluster_state import (
    REVISION,
    AppliedManifest,
    ClusterState,
    owner_uid,
)

LABELS = {"app.kubernetes.io/managed-by": "pennant"}


class ConflictError(Exception):
    """The API server's 409."""


class SimulatedApiServer(ClusterState):
    """Carries writes out, or raises ConflictError."""

    def live(self) -> dict[str, dict[str, Any]]:
        """The children with their managedFields, and records that another one owns or nobody."""
        objects = {key: self._managed(key, child) for key, child in self.children.items()}
        for revision in self.records.keys() - self.own_records().keys():
            record = self._record_object(revision)
            objects[f"ControllerRevision/{record['metadata']['name']}"] = record
        return objects

    def _record_object(self, revision: str) -> dict[str, Any]:
        name, uid = self.owner["metadata"]["name"], self.owners[revision]
        meta = {
            "name": f"{name}-{revision}",
            "resourceVersion": "1",
            "labels": {**LABELS, "pennant.dev/deployment": name, REVISION: revision},
            "ownerReferences": [controller_reference(name, uid)] if uid else [],
        }
        return {"kind": "ControllerRevision", "metadata": meta}

    def _managed(self, key: str, child: dict[str, Any]) -> dict[str, Any]:
        last = self.applied.get(key)
        if last is None or child["metadata"].get("uid") == "other":
            return child
        ours = last.fields
        if changed := not _contains(child, last.manifest):
            ours = managed_fields.still_owned(ours, last.manifest, child)
        entries = managed_fields.entries(ours, last.time, others=changed)
        return {**child, "metadata": {**child["metadata"], "managedFields": entries}}

    def carry_out(self, write: Any) -> None:
        self.writes.append(write)
        self.counter += 1
        match write:
            case Create():
                manifest = self._stamped(write.manifest)
                revision = manifest["metadata"]["labels"][REVISION]
                record = record_from_object(manifest)
                self.records.setdefault(revision, record)
                if self.owners.setdefault(revision, owner_uid(manifest)) != owner_uid(manifest):
                    raise ConflictError(revision)
                self.versions[revision] = record.version
            case CreateToken():
                self.tokens.add(write.manifest["metadata"]["name"])
            case Delete():
                self._delete(write)
            case Adopt():
                self._adopt(write)
            case AnnotatePod():
                self._annotate(write)
            case Apply():
                self._apply(write)

    def _delete(self, write: Delete) -> None:
        if write.kind == "Pod":
            for slot, pods in self.pods.items():
                self.pods[slot] = [p for p in pods if p.uid != write.uid]
        elif write.kind == "ControllerRevision":
            left = {r: x for r, x in self.records.items() if x.uid != write.uid}
            self.records, self.owners = left, {r: self.owners[r] for r in left}
        else:
            self._expect(f"{write.kind}/{write.name}", write.resource_version)
            del self.children[f"{write.kind}/{write.name}"]

    def _annotate(self, write: AnnotatePod) -> None:
        """A pod that is gone by now is annotated nothing."""
        for slot, pods in self.pods.items():
            annotated = [replace(p, shares=write.shares) if p.uid == write.uid else p for p in pods]
            self.pods[slot] = annotated

    def report_on(self, report: Any) -> None:
        """What a RolloutAction is told, or its deletion; of one that is gone by now, nothing."""
        self.writes.append(report)
        meta = report.action["metadata"] if isinstance(report, ActionStatus) else None
        name, uid = (meta["name"], meta["uid"]) if meta else (report.name, report.uid)
        live = self.actions.get(name)
        if live is None or live["metadata"]["uid"] != uid:
            return
        if isinstance(report, ActionStatus):
            self.actions[name] = {**live, "status": report.status}
        else:
            del self.actions[name]

    def _stamped(self, manifest: dict[str, Any]) -> dict[str, Any]:
        meta = {"uid": f"uid-{self.counter}", "resourceVersion": str(self.counter)}
        return {**manifest, "metadata": {**manifest["metadata"], **meta}}

    def _expect(self, key: str, resource_version: str | None) -> None:
        live = self.children.get(key)
        if resource_version is None:
            return
        if live is None or live["metadata"]["resourceVersion"] != resource_version:
            raise ConflictError(key)

    def _apply(self, write: Apply) -> None:
        manifest = self._stamped(write.manifest)
        key = f"{manifest['kind']}/{manifest['metadata']['name']}"
        self._expect(key, write.resource_version)
        live = self.children.get(key)
        if write.uid != (live["metadata"]["uid"] if live else None):
            raise ConflictError(key)
        manifest_sent = copy.deepcopy(write.manifest)
        tree = managed_fields.of_applied(manifest_sent)
        self.applied[key] = AppliedManifest(manifest_sent, tree, format_time(self.now))
        generation = live["metadata"]["generation"] if live else 0
        changed = live is None or live.get("spec") != manifest.get("spec")
        manifest["metadata"]["generation"] = generation + changed
        if live is not None:
            manifest["metadata"]["uid"] = live["metadata"]["uid"]
            manifest["status"] = live.get("status", {})
        self.children[key] = manifest

    def _adopt(self, write: Adopt) -> None:
        key, uid = f"{write.kind}/{write.name}", write.references[-1]["uid"]
        if write.kind == "ControllerRevision":
            self.owners[write.name.removeprefix(f"{self.owner['metadata']['name']}-")] = uid
            return
        self._expect(key, write.resource_version)
        self._refer(key, list(write.references))

    def _refer(self, key: str, references: list[dict[str, Any]]) -> None:
        meta = {**self.children[key]["metadata"], "ownerReferences": references}
        meta["resourceVersion"] = str(self.counter)
        self.children[key] = {**self.children[key], "metadata": meta}


def _contains(live: Any, applied: Any) -> bool:
    """Everything that was applied stands there as it was."""
    if isinstance(applied, dict) and isinstance(live, dict):
        return all(name in live and _contains(live[name], applied[name]) for name in applied)
    return bool(live == applied)
