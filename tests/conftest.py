"""For every tier: tests side by side by pytest-xdist, and what the end of a run tells."""

from __future__ import annotations

import os

import pytest
from _pytest import runner
from xdist.remote import Producer

from pennant_testing.running.run_summary import RunSummary
from pennant_testing.running.scheduling import ModuleScheduling, is_of_the_cluster
from pennant_testing.running.shared_once import SharedOnce

# A third of what a pod's process gets: with a tenth, ten minutes of pods that start one after the
# other left an operator too little to ever get through its queue.
NICE = 5
# Or MLflow's client tells somebody far away of each run of the tests, from a thread that changes
# the environment under whoever is reading it.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# pytest keeps the running test's name in the environment. Whoever goes through that in a thread, as
# `requests` does for each request, fails when the name goes away meanwhile.
vars(runner)["_update_current_test_var"] = lambda item, when: None


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SharedOnce:
    """What this process shares with the other workers of the run."""
    own = tmp_path_factory.getbasetemp()
    return SharedOnce(own.parent if hasattr(request.config, "workerinput") else own)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What computes lets the cluster's pods go first, with all servers that it starts."""
    if hasattr(item.config, "workerinput") and not is_of_the_cluster(item.nodeid):
        os.nice(NICE - os.nice(0))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ModuleScheduling:
    return ModuleScheduling(config, log)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunSummary())
