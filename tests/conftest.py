"""For every tier: tests side by side by pytest-xdist, and what the end of a run tells."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from closing import Closing
from company import Company
from lanes import Lanes, is_alone, is_of_the_cluster
from xdist.remote import Producer


@pytest.fixture(scope="session")
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """What this process shares with the other workers of the run."""
    own = tmp_path_factory.getbasetemp()
    return Company(own.parent if hasattr(request.config, "workerinput") else own)


@pytest.fixture(scope="module", autouse=True)
def place(request: pytest.FixtureRequest, company: Company) -> Iterator[None]:
    """A module of a folder `alone` has the machine to itself, all others share it."""
    with company.alone() if is_alone(request.node.nodeid) else company.beside():
        yield


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    if worker is None:
        config.pluginmanager.register(Closing())
    elif not is_of_the_cluster(worker["workerid"], worker["workercount"]):
        os.nice(10)  # what computes lets the cluster's pods go first: somebody waits for these
