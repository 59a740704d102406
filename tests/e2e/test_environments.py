"""`environment: Bundle` on real pods, with an index in the cluster: the examples, by their READMEs
alone, and what goes wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.settings import REPOSITORY
from pennant_testing.cluster.deployed import Deployed, condition_of, fetched
from pennant_testing.cluster.followed_readme import THERE, Reader
from pennant_testing.cluster.package_index import (
    archive_of,
    package_index,
    registered,
    registry,
)
from pennant_testing.shown_commands import ShownCommand

pytestmark = pytest.mark.e2e

MODEL = "environments"
LOCK = REPOSITORY / "requirements" / "bundle-middle.txt"
SERVING = {"environment": "Bundle", "resources": {"requests": {"cpu": "10m", "memory": "256Mi"}}}
ROLLOUT = {"bake": "5s", "deadlines": {"schedule": "60s", "fetch": "5m", "load": "5m"}}
ROWS = {"inputs": [[5.1, 3.5], [6.3, 3.3]]}
EXAMPLES = ("digits", "diabetes")
FORGET = """
import sys
from mlflow import MlflowClient
client = MlflowClient()
for name in sys.argv[1:]:
    if client.search_registered_models(f"name='{name}'"):
        client.delete_registered_model(name)
"""


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
def indexed(kube: Kube) -> Iterator[None]:
    """Afterwards the ModelRegistry of all tests names no index, as before; and no version of the
    examples is left of an earlier run, so that numbers begin where the pages begin."""
    kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", FORGET, *EXAMPLES)
    yield
    where = (f"--namespace={setup.OPERATOR_NAMESPACE}", "--type=merge")
    patch = '{"spec": {"environments": null}}'
    kube("patch", "modelregistry", "default", *where, f"--patch={patch}")


@pytest.fixture(scope="module")
def followed(
    kube: Kube, index: str, room: str, indexed: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[ShownCommand, str]]]:
    """What the commands of each README printed, the examples side by side."""
    archives = tmp_path_factory.mktemp("examples")

    def follow(example: str) -> list[tuple[ShownCommand, str]]:
        reader = Reader(kube, example, room, index)
        reader.carry(archives / f"{example}.tar")
        return list(reader.follow())

    with ThreadPoolExecutor() as threads:
        return dict(zip(EXAMPLES, threads.map(follow, EXAMPLES), strict=True))


@pytest.fixture(scope="module")
def made(kube: Kube, followed: dict[str, list[tuple[ShownCommand, str]]]) -> dict[str, str]:
    """Versions of the tests' own model by what they are."""
    return registered(kube, MODEL, f"{THERE}/digits/.venv/bin/python")


@pytest.fixture(scope="module")
def packages(kube: Kube, index: str) -> Iterator[str]:
    """A ModelRegistry that names the index."""
    with registry(kube, "with-packages", indexURL=index) as name:
        yield name


@pytest.fixture(scope="module")
def follows(
    kube: Kube, made: dict[str, str], packages: str, room: str
) -> Iterator[dict[str, Deployed]]:
    """Two that serve the model with the wheel, and one that serves digits."""
    all_of_them = {name: Deployed(kube, name, room, MODEL) for name in ("priced", "faulty")}
    all_of_them["stranded"] = Deployed(kube, "stranded", room, "digits")
    first = {"priced": made["priced"], "faulty": made["priced"], "stranded": "1"}
    for name, each in all_of_them.items():
        each.point_alias_at(first[name])
        each.apply(registry=packages, serving=SERVING, rollout=ROLLOUT)
    for name, each in all_of_them.items():
        each.until(serving=first[name], readyReplicas=1)
    yield all_of_them
    for each in all_of_them.values():
        each.delete("--wait=false")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_readme_of_an_example_shows_what_happens(
    followed: dict[str, list[tuple[ShownCommand, str]]], example: str
):
    assert len(followed[example]) > 10
    for shown, printed in followed[example]:
        # The second to name the index changes nothing.
        assert shown.output.strip() in printed.replace(" (no change)", ""), shown.command


@pytest.mark.usefixtures("followed")
def test_each_pod_of_an_older_scikit_learn_has_the_very_same_packages(kube: Kube, room: str):
    digits = Deployed(kube, "digits", room, "digits")
    before = digits.status["serving"]
    assert len(before["environment"]) == 64
    kube("scale", "mldep/digits", "--replicas=2", f"--namespace={room}")
    status = digits.until(readyReplicas=2, summary="Serving")
    assert status["serving"]["environment"] == before["environment"]
    reported = {message["environment"]["digest"] for message in map(fetched, digits.pods())}
    assert reported == {before["environment"]}


def test_a_wheel_of_ones_own_in_the_bundle_is_installed(follows: dict[str, Deployed]):
    assert follows["priced"].predictions(ROWS) == [10.2, 12.6]


@pytest.mark.usefixtures("followed")
def test_with_the_images_packages_it_fails_and_with_its_own_it_serves(
    kube: Kube, packages: str, room: str
):
    """One field is set."""
    deployed = Deployed(kube, "one-field", room, "diabetes")
    deployed.point_alias_at(1)
    plain = {key: value for key, value in SERVING.items() if key != "environment"}
    deployed.apply(registry=packages, serving=plain, rollout=ROLLOUT)
    status = deployed.until(summary="Rejected")
    assert "lightgbm" in status["rejected"][0]["message"]
    deployed.apply(registry=packages, serving=SERVING, rollout=ROLLOUT)
    deployed.until(serving="1", readyReplicas=1)
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
    assert status["serving"]["version"] == made["priced"]


def test_where_the_registry_names_no_index_it_is_held_before_any_pod(
    kube: Kube, made: dict[str, str], room: str
):
    deployed = Deployed(kube, "no-index", room, MODEL)
    deployed.point_alias_at(made["priced"])
    with registry(kube, "without-packages") as name:
        deployed.apply(registry=name, serving=SERVING, rollout=ROLLOUT)
        deployed.until(desired=made["priced"], summary="Stalled")
        assert condition_of(deployed.status, "AliasInSync")[1] == "ConfigurationError"
        assert "spec.environments.indexURL" in condition_of(deployed.status, "AliasInSync")[2]
        assert not deployed.pods()
        deployed.delete("--wait=false")


def test_an_index_that_goes_away_holds_the_rollout_and_what_serves_goes_on(
    kube: Kube, follows: dict[str, Deployed], index: str
):
    stranded = follows["stranded"]
    name = "unreachable"
    with registry(kube, name, indexURL=index.replace("package-index", "no-such-index")):
        stranded.point_alias_at(2)
        short = {"bake": "5s", "deadlines": {"schedule": "60s", "fetch": "60s", "load": "5m"}}
        stranded.apply(registry=name, serving=SERVING, rollout=short)
        status = stranded.until(desired="2", summary="Held")
        assert status["candidate"]["reason"] == "DownloadFailed"
        assert "indexURL" in status["candidate"]["message"]
        assert (status["serving"]["version"], status["readyReplicas"]) == ("1", 1)
        stranded.delete("--wait=false")
