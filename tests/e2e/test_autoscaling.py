"""A HorizontalPodAutoscaler on a ModelDeployment, and a real metrics-server that it asks."""

from collections.abc import Iterator

import pytest
import yaml

from newsreco.loadgen_report import failures
from pennant_dev import cluster
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.local import Local
from pennant_dev.settings import REPOSITORY, Settings
from pennant_testing.cluster.deployed import Deployed, name_after, serving, traffic

pytestmark = pytest.mark.e2e

SAMPLE = REPOSITORY / "manifests" / "samples" / "hpa.yaml"
MOST = 3  # pods, by the sample
# Of the processor what the traffic takes: one pod answers all of it while others start. By the
# target three pods are too few for it, and one is enough without it.
RESOURCES = {"requests": {"cpu": "200m", "memory": "192Mi"}, "limits": {"memory": "768Mi"}}
TARGET = 10  # percent
SERVING = {
    "image": IMAGE,
    "adapter": "newsreco.serving:NewsrecoAdapter",
    "resources": RESOURCES,
}


@pytest.fixture(scope="module")
def measured(kube: Kube) -> Iterator[None]:
    """Something says what pods use: the cluster's own, or ours meanwhile."""
    if "metrics.k8s.io/" in kube("api-versions"):
        yield
        return
    provider = cluster.choose(Settings.from_env())
    if not isinstance(provider, Local):
        pytest.skip("the cluster has no metrics-server")
    server = provider.metrics_server()
    server.start()
    yield
    server.stop()


class Autoscaled:
    """The sample on one ModelDeployment, but that it grows early and shrinks at once."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        sample: Object = yaml.safe_load(SAMPLE.read_text())
        sample["metadata"] = {"name": deployed.name, "namespace": deployed.namespace}
        sample["spec"]["scaleTargetRef"]["name"] = deployed.name
        (metric,) = sample["spec"]["metrics"]
        metric["resource"]["target"]["averageUtilization"] = TARGET
        sample["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] = 0
        deployed.kube.create(sample)

    def shown(self) -> str:
        """Use and target, as `kubectl get hpa` shows them."""
        columns = "-o=custom-columns=:.status.currentMetrics[0].resource.current.averageUtilization"
        where = f"-n={self._deployed.namespace}"
        return self._deployed.kube("get", "hpa", self._deployed.name, where, columns).strip()

    def sizes_until(self, version: str) -> set[tuple[int, int]]:
        """What is asked for, and what has the traffic, at each look until a version has settled."""
        seen = set()

        def settled() -> bool:
            found = self._deployed.object
            status = found["status"]
            seen.add((found["spec"]["replicas"], status["replicas"]))
            return (status["serving"]["version"], status["summary"]) == (version, "Serving")

        poll(settled, f"version {version} does not settle", 240, interval=0.2)
        return seen


def test_it_grows_under_load_keeps_its_size_through_a_promotion_and_shrinks_afterwards(
    kube: Kube, markers: dict[str, str], measured: None, room: str, request: pytest.FixtureRequest
):
    with serving(kube, name_after(request), room, serving=SERVING) as deployed:
        autoscaled = Autoscaled(deployed)
        with traffic(deployed) as flow:
            deployed.until(replicas=MOST, readyReplicas=MOST, summary="Serving")
            assert int(autoscaled.shown()) > TARGET
            deployed.point_alias_at(2)
            assert autoscaled.sizes_until("2") == {(MOST, MOST)}
        assert failures(flow.rows) == []
        deployed.until(replicas=1, readyReplicas=1)
        assert deployed.condition("AliasInSync")[0] == "True"
