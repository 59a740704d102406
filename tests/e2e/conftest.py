"""The cluster with everything installed, once for the run; the machine is left as it was found.

Modules run side by side, each in a namespace of its own (`room`). Meanwhile samplers hold every
status against what the Service answers (truth/status_truth.py): a test fails when the two
disagreed for too long, or kstatus read something wrong in one (truth/kstatus.py), and the last
lines of the run sum both up.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pennant_dev.demo.__main__ import give_back, prepare, stands
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.setup import OPERATOR_NAMESPACE, connect
from pennant_dev.leftovers import leftovers
from pennant_testing.cluster import trial_fleet
from pennant_testing.cluster.deployed import OURS, ROOM, Deployed, name_after, serving
from pennant_testing.cluster.kubectl_proxy import proxied
from pennant_testing.cluster.sampler import Sampler, sampling
from pennant_testing.running.run_summary import saw
from pennant_testing.running.scheduling import is_alone
from pennant_testing.running.shared_once import SharedOnce


@pytest.fixture(scope="session")
def prepared(shared: SharedOnce) -> Iterator[Kube]:
    def was_there() -> bool:
        return bool(shared.once("cluster-was-there", stands))

    def opens() -> None:
        was_there()
        kube = prepare()
        clear(kube)
        without_brake(kube)

    def closes() -> None:
        give_back(was_there=was_there())
        assert was_there() or leftovers() == []

    with shared.guest("cluster", opens, closes), proxied(connect()) as kube:
        yield kube


def clear(kube: Kube) -> None:
    """Undo what a run that was killed has done to a cluster that stands."""
    (label,) = OURS
    for node in kube.list("nodes", "default", label):
        kube("uncordon", node["metadata"]["name"])
    kube("label", "nodes", "--all", f"{label}-", f"{ROOM}-")
    kube("delete", "namespaces,persistentvolumes", f"--selector={label}", "--timeout=180s")


def without_brake(kube: Kube) -> None:
    """Tests promote more at once than anybody does by hand."""
    off = '{"spec": {"brake": {"share": "1"}}}'
    where = f"--namespace={OPERATOR_NAMESPACE}"
    kube("patch", "modelregistry", "default", where, "--type=merge", f"--patch={off}")


@pytest.fixture(scope="module", autouse=True)
def place(request: pytest.FixtureRequest, shared: SharedOnce) -> Iterator[None]:
    """A module of the folder `alone` has the cluster to itself, all others share it."""
    with shared.alone() if is_alone(request.node.nodeid) else shared.beside():
        yield


@pytest.fixture(scope="session")
def sampler(prepared: Kube, pytestconfig: pytest.Config) -> Iterator[Sampler]:
    """What looks at every status and every Service of this process' namespaces until it ends."""
    with sampling(prepared) as sampler:
        yield sampler
        saw(pytestconfig, sampler.tally(), sampler.verdicts())
        assert "\n".join(map(str, [*sampler.news(), *sampler.misread()])) == ""


@pytest.fixture(scope="session")
def kube(prepared: Kube, sampler: Sampler) -> Kube:
    """kubectl on a cluster that has the operator, MLflow and a toolbox pod."""
    return prepared


@pytest.fixture(scope="module")
def room(kube: Kube, sampler: Sampler, request: pytest.FixtureRequest) -> Iterator[str]:
    """The module's own namespace."""
    name = str(request.path.stem).removeprefix("test_").replace("_", "-")
    kube.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": OURS}}
    )
    sampler.look_at(name)
    yield name
    kube("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def versions(kube: Kube, shared: SharedOnce) -> dict[str, str]:
    """Good and bad versions of the model `trials`, by what is the matter with them."""
    return dict(shared.once("versions", lambda: trial_fleet.register(kube)))


@pytest.fixture(scope="session")
def markers(kube: Kube, shared: SharedOnce) -> dict[str, str]:
    """Versions of the recommender, and what their answers carry; 3 cannot be loaded."""
    return dict(shared.once("markers", lambda: trial_fleet.register_recommenders(kube)))


@pytest.fixture
def deployed(
    kube: Kube, markers: dict[str, str], room: str, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    """One of the test's own, which serves version 1 of the recommender by one pod."""
    with serving(kube, name_after(request), room) as deployed:
        yield deployed


@pytest.fixture(autouse=True)
def trusted(request: pytest.FixtureRequest) -> Iterator[None]:
    """No status told anything untrue for long while the test ran."""
    found = request.getfixturevalue("sampler") if "sampler" in request.fixturenames else None
    yield
    if found is not None:
        assert "\n".join(map(str, [*found.news(), *found.misread()])) == ""
