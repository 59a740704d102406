"""`make soak`: what takes too long for `make test`; its table goes into docs/reliability.md."""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from soak import chaos, idle, laws, report
from soak.servers import Servers

from pennant_dev.binaries import ensure
from pennant_dev.controlplane import control_plane
from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.mlflow.mlflow_server import mlflow_server


def main() -> None:
    asked = _arguments()
    print(f"seed {asked.seed}", flush=True)
    rows = laws.run(asked.laws_minutes, asked.seed) if asked.laws_minutes else []
    with servers() as found:
        if asked.idle_minutes:
            rows += idle.run(found, asked.idle_minutes, asked.idle_deployments)
        if asked.chaos_minutes:
            rows += chaos.run(found, asked.chaos_minutes, asked.seed)
    for row in rows:
        print(row.line(), *row.violations, sep="\n- ")
    report.write(rows)
    sys.exit(any(row.violations for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak SOAK_ARGS=...", description=__doc__)
    parser.add_argument("--idle-minutes", type=float, default=5.0)
    parser.add_argument("--idle-deployments", type=int, default=50)
    parser.add_argument("--laws-minutes", type=float, default=3.0)
    parser.add_argument("--chaos-minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """An API server and an MLflow server that nobody else uses."""
    ensure("kubelite", "etcd")
    with tempfile.TemporaryDirectory(prefix="pennant-soak-") as made:
        folder = Path(made)
        plane_folder = folder / "plane"
        plane_folder.mkdir()
        with (
            control_plane(plane_folder, Audit.flags(plane_folder)) as plane,
            mlflow_server(folder) as url,
        ):
            objects = Objects(plane)
            objects.install()
            yield Servers(folder, objects, Audit.of(plane_folder), Audit.kubeconfig(plane), url)


if __name__ == "__main__":
    main()
