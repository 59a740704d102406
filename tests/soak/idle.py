"""Many settled ModelDeployments, and minutes in which nothing happens."""

from __future__ import annotations

from soak.report import Row
from soak.servers import Servers

from pennant_testing.control_plane import settled_fleet
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow


def run(servers: Servers, minutes: float, count: int) -> list[Row]:
    stage, url = Stage(servers.objects, "idle"), servers.mlflow_url
    with operator(servers.kubeconfig, servers.folder, PENNANT_WRITE_RATE="500") as running:
        settled_fleet.settled(stage, Mlflow(url), url, count)
        print(f"idle: {count} ModelDeployments serve", flush=True)
        quiet = settled_fleet.silence(
            stage, running, servers.audit, servers.mlflow_log, minutes * 60
        )
        memory = running.memory()
    stage.clear()
    writes = sum(quiet.writes.values())
    how_many = (
        f"{count} ModelDeployments, {quiet.polls} polls of {sum(quiet.calls.values())} requests, "
        f"{writes} API writes; operator {memory:.0f} MiB"
    )
    options = f"--idle-minutes {minutes:g} --idle-deployments {count}"
    return [Row("idle is silent", options, quiet.seconds, how_many, quiet.violations())]
