"""The cluster with everything installed, once for the tier; the machine is left as it was found."""

from collections.abc import Iterator

import pytest

from pennant_dev import cluster
from pennant_dev.demo import acts, setup
from pennant_dev.demo.__main__ import prepare
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.stage import URL, Stage
from pennant_dev.demo.story import Story
from pennant_dev.demo.traffic import Traffic
from pennant_dev.leftovers import leftovers
from pennant_dev.local import Local
from pennant_dev.settings import Settings


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    """kubectl on a cluster that has the operator, an empty MLflow and a toolbox pod."""
    provider = cluster.choose(Settings.from_env())
    was_there = not isinstance(provider, Local) or bool(leftovers())
    yield prepare()
    setup.remove(setup.connect())
    if not was_there:
        provider.down()
        assert leftovers() == []


@pytest.fixture(scope="session")
def story(kube: Kube) -> Story:
    """The demo's five acts, played under steady traffic."""
    return acts.play(Stage(kube, Traffic(kube, URL)))
