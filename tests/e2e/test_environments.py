"""`environment: Bundle` on real pods: libraries that no image has, from an index in the cluster."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from pennant_dev.demo.kube import Kube
from pennant_dev.settings import REPOSITORY
from pennant_testing.cluster.deployed import Deployed, condition_of, fetched
from pennant_testing.cluster.package_index import (
    archive_of,
    package_index,
    registered,
    registry,
)

pytestmark = pytest.mark.e2e

MODEL = "environments"
LOCK = REPOSITORY / "requirements" / "bundle-middle.txt"
SERVING = {"environment": "Bundle", "resources": {"requests": {"cpu": "10m", "memory": "256Mi"}}}
ROLLOUT = {"bake": "5s", "deadlines": {"schedule": "60s", "fetch": "5m", "load": "5m"}}
IRIS = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]}


class Fault(NamedTuple):
    """The version, and what its rejection says."""

    version: str
    says: tuple[str, ...]


FAULTS = [
    Fault("missing", ("nobody-has-this", "requirements")),
    Fault("torn", ("numpy==1.26.4", "numpy<1.26")),
    Fault("ancient", ("Python 3.8", "Python 3.")),
]


@pytest.fixture(scope="module")
def index(kube: Kube, room: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an index that has what the tests' bundles ask for."""
    archive = archive_of(kube, tmp_path_factory.mktemp("index"), LOCK)
    with package_index(kube, room, archive) as url:
        yield url


@pytest.fixture(scope="module")
def made(kube: Kube, index: str) -> dict[str, str]:
    """Versions by what they are."""
    return registered(kube, MODEL, index)


@pytest.fixture(scope="module")
def packages(kube: Kube, index: str) -> Iterator[str]:
    """A ModelRegistry that names the index."""
    with registry(kube, "with-packages", indexURL=index) as name:
        yield name


@pytest.fixture(scope="module")
def follows(
    kube: Kube, made: dict[str, str], packages: str, room: str
) -> Iterator[dict[str, Deployed]]:
    """One that serves the forest, for each test, and one that serves each other good model."""
    names = ("forest", "boosted", "priced", "faulty", "stranded")
    all_of_them = {name: Deployed(kube, name, room, MODEL) for name in names}
    for name, each in all_of_them.items():
        each.point_alias_at(made.get(name, made["forest"]))
        each.apply(registry=packages, serving=SERVING, rollout=ROLLOUT)
    for name, each in all_of_them.items():
        each.until(serving=made.get(name, made["forest"]), readyReplicas=1)
    yield all_of_them
    for each in all_of_them.values():
        each.delete("--wait=false")


def test_an_older_scikit_learn_answers_and_each_pod_has_the_very_same_packages(
    follows: dict[str, Deployed],
):
    forest = follows["forest"]
    assert forest.predictions(IRIS) == [0, 2]
    before = forest.status["serving"]
    assert len(before["environment"]) == 64
    forest.apply(
        registry=forest.object["spec"]["registry"], serving=SERVING, rollout=ROLLOUT, replicas=2
    )
    status = forest.until(readyReplicas=2, summary="Serving")
    assert status["serving"]["environment"] == before["environment"]
    reported = {message["environment"]["digest"] for message in map(fetched, forest.pods())}
    assert reported == {before["environment"]}


def test_a_library_that_no_image_has_answers(follows: dict[str, Deployed]):
    assert follows["boosted"].predictions(IRIS) == [0, 2]


def test_a_wheel_of_ones_own_in_the_bundle_is_installed(follows: dict[str, Deployed]):
    assert follows["priced"].predictions(IRIS) == [10.2, 12.6]


def test_with_the_images_packages_it_fails_and_with_its_own_it_serves(
    kube: Kube, made: dict[str, str], packages: str, room: str
):
    """One field is set."""
    deployed = Deployed(kube, "one-field", room, MODEL)
    deployed.point_alias_at(made["boosted"])
    plain = {key: value for key, value in SERVING.items() if key != "environment"}
    deployed.apply(registry=packages, serving=plain, rollout=ROLLOUT)
    status = deployed.until(summary="Rejected")
    assert "lightgbm" in status["rejected"][0]["message"]
    deployed.apply(registry=packages, serving=SERVING, rollout=ROLLOUT)
    deployed.until(serving=made["boosted"], readyReplicas=1)
    deployed.delete("--wait=false")


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.version for fault in FAULTS])
def test_what_cannot_be_had_is_rejected_with_what_the_bundle_asks_for(
    follows: dict[str, Deployed], made: dict[str, str], fault: Fault
):
    faulty = follows["faulty"]
    faulty.point_alias_at(made[fault.version])
    status = faulty.until(desired=made[fault.version], summary="Rejected")
    entry = next(e for e in status["rejected"] if e["version"] == made[fault.version])
    assert entry["reason"] == "EnvironmentMismatch"
    for words in fault.says:
        assert words in entry["message"]
    assert status["serving"]["version"] == made["forest"]


def test_where_the_registry_names_no_index_it_is_held_before_any_pod(
    kube: Kube, made: dict[str, str], room: str
):
    deployed = Deployed(kube, "no-index", room, MODEL)
    deployed.point_alias_at(made["forest"])
    deployed.apply(serving=SERVING, rollout=ROLLOUT)
    deployed.until(desired=made["forest"], summary="Stalled")
    assert condition_of(deployed.status, "AliasInSync")[1] == "ConfigurationError"
    assert "spec.environments.indexURL" in condition_of(deployed.status, "AliasInSync")[2]
    assert not deployed.pods()
    deployed.delete("--wait=false")


def test_an_index_that_goes_away_holds_the_rollout_and_what_serves_goes_on(
    kube: Kube, follows: dict[str, Deployed], made: dict[str, str], index: str, room: str
):
    stranded = follows["stranded"]
    name = "unreachable"
    with registry(kube, name, indexURL=index.replace("package-index", "no-such-index")):
        stranded.point_alias_at(made["boosted"])
        short = {"bake": "5s", "deadlines": {"schedule": "60s", "fetch": "60s", "load": "5m"}}
        stranded.apply(registry=name, serving=SERVING, rollout=short)
        status = stranded.until(desired=made["boosted"], summary="Held")
        assert status["candidate"]["reason"] == "DownloadFailed"
        assert "indexURL" in status["candidate"]["message"]
        assert (status["serving"]["version"], status["readyReplicas"]) == (made["forest"], 1)
        stranded.delete("--wait=false")
