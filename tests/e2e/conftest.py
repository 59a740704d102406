"""The cluster with everything installed, once for the tier; the machine is left as it was found.

While it stands, a sampler holds every status against what the Service answers (tests/trust.py): a
test fails when the two disagreed for too long, and the last lines of the run sum it up.
"""

from collections.abc import Iterator

import pytest
import trials
from deployed import OURS, ROOM
from sampler import Sampler, sampling

from pennant_dev.demo import acts
from pennant_dev.demo.__main__ import borrowed, stands
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.stage import URL, Stage
from pennant_dev.demo.story import Story
from pennant_dev.demo.traffic import Traffic
from pennant_dev.leftovers import leftovers

SUMMARY = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def prepared() -> Iterator[Kube]:
    was_there = stands()
    with borrowed() as kube:
        clear(kube)
        yield kube
    assert was_there or leftovers() == []


def clear(kube: Kube) -> None:
    """Undo what a run that was killed has done to a cluster that stands."""
    (label,) = OURS
    for node in kube.list("nodes", NAMESPACE, label):
        kube("uncordon", node["metadata"]["name"])
    kube("label", "nodes", "--all", f"{label}-", f"{ROOM}-")
    kube("delete", "namespaces,persistentvolumes", f"--selector={label}", "--timeout=180s")


@pytest.fixture(scope="session")
def sampler(prepared: Kube, pytestconfig: pytest.Config) -> Iterator[Sampler]:
    """What looks at every status and every Service until the tier ends."""
    with sampling(prepared) as found:
        yield found
        pytestconfig.stash[SUMMARY] = found.summary()
        assert "\n".join(map(str, found.news())) == ""


@pytest.fixture(scope="session")
def kube(prepared: Kube, sampler: Sampler) -> Kube:
    """kubectl on a cluster that has the operator, an empty MLflow and a toolbox pod."""
    return prepared


@pytest.fixture(scope="session")
def story(kube: Kube) -> Story:
    """The demo's five acts, played under steady traffic."""
    return acts.play(Stage(kube, Traffic(kube, URL)))


@pytest.fixture(scope="session")
def versions(kube: Kube) -> dict[str, str]:
    """Good and bad versions of the model `trials`, by what is the matter with them."""
    return trials.register(kube)


@pytest.fixture(autouse=True)
def trusted(request: pytest.FixtureRequest) -> Iterator[None]:
    """No status told anything untrue for long while the test ran."""
    found = request.getfixturevalue("sampler") if "sampler" in request.fixturenames else None
    yield
    if found is not None:
        assert "\n".join(map(str, found.news())) == ""


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if SUMMARY in config.stash:
        terminalreporter.section("trust: status against traffic")
        terminalreporter.write_line(config.stash[SUMMARY])
