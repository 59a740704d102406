"""The operator's process takes the webhooks that it had MLflow send: real servers, no kubelet."""

from __future__ import annotations

from pathlib import Path

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.mlflow.registry_polls import models, version
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


def test_an_alias_that_moves_is_followed_at_once_and_no_hook_writes_a_status(
    operator_config: Path, objects: Objects, mlflow_url: str, tmp_path: Path
):
    client = Mlflow(mlflow_url).client
    (watch,) = models(client, 1)
    version(client, watch.model)
    with operator(operator_config, tmp_path) as running:
        _apply(objects, mlflow_url, running.hooks, watch.model)
        until(lambda: _desired(objects) == "1")
        until(lambda: _registry(objects)["status"].get("webhook"))

        running.rests()
        shown = _registry(objects)
        client.set_registered_model_alias(watch.model, "production", "2")
        until(lambda: _desired(objects) == "2", seconds=45)  # a poll comes once a minute
        accepted = 'pennant_webhooks_total{registry="default",result="accepted"}'
        until(lambda: running.metric(accepted) == 1)
        assert running.metric("pennant_registry_requests_total") > 3
        assert _registry(objects)["metadata"] == shown["metadata"]

        spec = {"webhook": {"register": False, "url": None}}
        objects.patch("ModelRegistry", NAMESPACE, "default", {"spec": spec})
        until(lambda: not client.list_webhooks())
        assert running.stop() == 0


def _apply(objects: Objects, url: str, port: int, model: str) -> None:
    metadata = {"namespace": NAMESPACE}
    secret = {"webhook-secret": "a secret of the tests"}
    webhook = {
        "secret": {"name": "hooks"},
        "register": True,
        "url": f"http://127.0.0.1:{port}",
    }
    for kind, name, body in (
        ("Secret", "hooks", {"stringData": secret}),
        ("ModelRegistry", "default", {"spec": _polled(url, webhook)}),
        ("ModelDeployment", "news", {"spec": {"model": {"name": model, "alias": "production"}}}),
    ):
        group = "v1" if kind == "Secret" else "pennant.dev/v1alpha1"
        named = {**metadata, "name": name}
        objects.apply({"apiVersion": group, "kind": kind, "metadata": named, **body})


def _polled(url: str, webhook: dict[str, object]) -> dict[str, object]:
    return {"url": url, "pollInterval": "60s", "webhook": webhook}


def _desired(objects: Objects) -> str:
    live = objects.get("ModelDeployment", NAMESPACE, "news") or {}
    return str(live.get("status", {}).get("desired", {}).get("version", ""))


def _registry(objects: Objects) -> dict[str, dict[str, object]]:
    registry = objects.get("ModelRegistry", NAMESPACE, "default")
    assert registry is not None
    return registry
