"""A Deployment as it was applied, and what an API server, admission or somebody makes of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from pennant_operator.decide.manifests.drift import DueApply, due_apply, with_mark
from pennant_operator.decide.times import format_time
from pennant_testing.memory import managed_fields
from pennant_testing.memory.object_builders import NOW

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "rec-blue", "namespace": "team", "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"labels": {"pennant.dev/revision": "abc"}},
            "spec": {
                "priorityClassName": "",
                "tolerations": [{"key": "k", "effect": ""}],
                "nodeSelector": {"zone": "a"},
                "containers": [
                    {
                        "name": "serve",
                        "image": "serving:1",
                        "env": [{"name": "A", "value": ""}, {"name": "B", "value": "b"}],
                        "resources": {"limits": {"cpu": ".5", "memory": "1.5e9"}},
                    }
                ],
            },
        },
    },
}


Change = Callable[[dict[str, Any]], object]


def stored(
    wanted: dict[str, Any], mark: str | None = "", at: Any = NOW, count: str = ""
) -> dict[str, Any]:
    """As the API server has it after an apply; without a mark as an older operator left it."""
    if mark is not None:
        due = due_apply(wanted, None, at)
        assert due is not None
        wanted = with_mark(wanted, DueApply(mark or due.mark, count))
    live = copy.deepcopy(wanted)
    ours = managed_fields.of_applied(wanted)
    live["metadata"]["managedFields"] = managed_fields.entries(ours, format_time(at), others=False)
    return live


def changed(live: dict[str, Any], change: Change) -> dict[str, Any]:
    """Somebody changes it with a request of their own."""
    after = copy.deepcopy(live)
    change(after)
    (own,) = (e for e in live["metadata"]["managedFields"] if e["manager"] == "pennant")
    ours = managed_fields.still_owned(own["fieldsV1"], live, after)
    entries = managed_fields.entries(ours, own["time"], others=True)
    after["metadata"]["managedFields"] = entries
    return after


def pod(live: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = live["spec"]["template"]["spec"]
    return spec


def serve(live: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = pod(live)["containers"][0]
    return container


BESIDE = "one more container"


ADMITTED: dict[str, tuple[str, Change]] = {
    "a number": ("spec.replicas", lambda o: o["spec"].update(replicas=3)),
    "an image": (
        "spec.template.spec.containers[name=serve].image",
        lambda o: serve(o).update(image="mirror/serving:1"),
    ),
    "one more": (
        "spec.template.spec.tolerations",
        lambda o: pod(o)["tolerations"].append({"key": "x"}),
    ),
    BESIDE: (
        "spec.template.spec.containers",
        lambda o: pod(o)["containers"].append({"name": "sidecar"}),
    ),
    "one fewer": (
        "spec.template.spec.containers[name=serve].env[name=B]",
        lambda o: serve(o)["env"].pop(),
    ),
    "another amount": (
        "spec.template.spec.containers[name=serve].resources.limits.cpu",
        lambda o: serve(o)["resources"]["limits"].update(cpu="600m"),
    ),
}


CHANGES: dict[str, Change] = {what: change for what, (_, change) in ADMITTED.items()} | {
    "a label goes": lambda o: o["metadata"]["labels"].pop("a"),
    "a map gets another": lambda o: pod(o).update(nodeSelector={"zone": "a", "x": "y"}),
    "an empty value is set": lambda o: serve(o)["env"][0].update(value="set"),
    "a list goes": lambda o: serve(o).pop("env"),
}
