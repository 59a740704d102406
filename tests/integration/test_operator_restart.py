"""A restart asks a registry what moved, and nothing about what is recorded in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.lying_proxy import Proxy
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

NAMES = [f"rec-{number}" for number in range(5)]
RESOLVING = ("model-versions/get", "model-versions/get-download-uri", "runs/get")


def resolved(proxy: Proxy) -> set[str]:
    """The models, and the runs, that it was asked about since this was asked last.

    Not how often: what was not answered in time is asked again.
    """
    asked, proxy.asked = proxy.asked, []
    found = [urlsplit(path) for path in asked]
    queries = [parse_qs(f.query) for f in found if f.path.endswith(RESOLVING)]
    return {name for query in queries for name in query.get("name") or query["run_id"]}


@contextmanager
def restarted(config: Path, folder: Path, proxy: Proxy) -> Iterator[Operator]:
    """A new operator that has polled twice."""
    proxy.asked = []
    with operator(config, folder, **ALONE) as running:
        until(lambda: sum("/search" in path for path in proxy.asked) >= 2)
        yield running


def test_a_restart_resolves_only_what_moved_meanwhile_and_what_is_new(
    objects: Objects, operator_config: Path, mlflow_url: str, tmp_path: Path
):
    stage, mlflow = Stage(objects, "restart"), Mlflow(mlflow_url)
    prefix = f"r{uuid4().hex[:8]}"
    models = {name: f"{prefix}-{name}" for name in NAMES}
    every = set(models.values())
    for model in models.values():
        mlflow.promote(model, mlflow.register(model))
    with lying_proxy.lying_proxy(mlflow_url) as proxy:
        stage.registry("restart", proxy.url)
        try:
            with operator(operator_config, tmp_path, **ALONE) as first:
                for name, model in models.items():
                    stage.apply(name, model, registry="restart")
                until(lambda: stage.all_serve("1", NAMES))
                first.rests()
                first.kill()
            before = stage.written()
            assert resolved(proxy) > every

            with restarted(operator_config, tmp_path, proxy) as second:
                assert not resolved(proxy)
                assert stage.written() == before
                assert stage.all_serve("1", NAMES)
                # Somebody new, who follows what others have: their records are not this one's.
                stage.apply("young", models["rec-0"], registry="restart")
                stage.serves("young", "1")
                assert resolved(proxy) & every == {models["rec-0"]}
                second.kill()

            mlflow.promote(models["rec-3"], mlflow.register(models["rec-3"]))
            # Made again under its name, its version 1 is another one.
            mlflow.client.delete_registered_model(models["rec-4"])
            mlflow.promote(models["rec-4"], mlflow.register(models["rec-4"]))
            revisions = stage.revisions("rec-4")
            with restarted(operator_config, tmp_path, proxy):
                stage.serves("rec-3", "2")
                until(lambda: stage.look() and not stage.revisions("rec-4") <= revisions)
                assert resolved(proxy) & every == {models["rec-3"], models["rec-4"]}
                assert {n: stage.written()[n] for n in NAMES[:3]} == {
                    n: before[n] for n in NAMES[:3]
                }
        finally:
            stage.clear()
