"""The autoscalers among the samples are what Kubernetes and KEDA take; whose the size is then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import yaml

from pennant_dev.shell import DevError
from pennant_testing.control_plane.install_tools import MANIFESTS, Tools, succeeds
from pennant_testing.control_plane.objects import Object, Objects
from pennant_testing.folders import REPOSITORY
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

CRDS = REPOSITORY / "tests" / "golden" / "keda-crds.yaml"
CREATE = ("create", "--dry-run=server", "--validate=strict", "--filename=-")
SCALERS = ("hpa", "keda")
BY_SERVER = ("--server-side", "--field-manager=flux", "--force-conflicts")
WAYS = {"by the client": (), "by the server": BY_SERVER}
"""As `kubectl apply` and Argo CD do, and as Flux does."""
NAMESPACE = "autoscaled"


def sample(name: str) -> Object:
    content: Object = yaml.safe_load((MANIFESTS / "samples" / f"{name}.yaml").read_text())
    return content


@pytest.fixture(scope="module")
def kubectl(tools: Tools, objects: Objects) -> Iterator[Tools]:
    """On an API server that has KEDA's kind."""
    tools.kubectl("apply", "--server-side", f"--filename={CRDS}")
    # A kind is served a moment before its schema is published.
    until(lambda: succeeds(lambda: tools.kubectl("explain", "scaledobjects.keda.sh")))
    objects.namespace(NAMESPACE)
    yield tools
    tools.kubectl("delete", f"--filename={CRDS}")


@pytest.fixture(params=WAYS)
def sync(request: pytest.FixtureRequest, kubectl: Tools) -> Iterator[Callable[..., None]]:
    """Applies the sample with this of its spec, as it lies in Git."""

    def sync(**spec: int) -> None:
        content = sample("modeldeployment")
        content["metadata"]["namespace"] = NAMESPACE
        del content["spec"]["replicas"]
        content["spec"] |= spec
        kubectl.kubectl("apply", *WAYS[request.param], "--filename=-", stdin=json.dumps(content))

    yield sync
    kubectl.kubectl("delete", "mldep", "my-model", f"--namespace={NAMESPACE}")


@pytest.fixture
def size(objects: Objects) -> Callable[[], int]:
    """What is asked for."""

    def size() -> int:
        found = objects.get("ModelDeployment", NAMESPACE, "my-model")
        assert found is not None
        return int(found["spec"]["replicas"])

    return size


def scale(kubectl: Tools, replicas: int) -> None:
    """As an autoscaler does: through the subresource."""
    target = sample("hpa")["spec"]["scaleTargetRef"]
    scaled = f"{target['kind'].lower()}s.pennant.dev/{target['name']}"
    kubectl.kubectl("scale", scaled, f"--replicas={replicas}", f"--namespace={NAMESPACE}")


@pytest.mark.parametrize("name", SCALERS)
def test_it_is_taken_and_no_field_is_misspelt(kubectl: Tools, name: str):
    content = sample(name)
    assert "created (server dry run)" in kubectl.kubectl(*CREATE, stdin=json.dumps(content))
    content["spec"]["maxReplica"] = 3
    with pytest.raises(DevError, match=r'unknown field "spec\.maxReplica"'):
        kubectl.kubectl(*CREATE, stdin=json.dumps(content))


@pytest.mark.parametrize("name", SCALERS)
def test_it_targets_the_modeldeployment_among_the_samples(name: str):
    scaler, target = sample(name), sample("modeldeployment")
    assert scaler["spec"]["scaleTargetRef"] == {
        "apiVersion": target["apiVersion"],
        "kind": target["kind"],
        "name": target["metadata"]["name"],
    }
    assert scaler["metadata"]["namespace"] == target["metadata"]["namespace"]
    assert target["spec"]["serving"]["resources"]["requests"]["cpu"]  # what it measures by


def test_a_size_that_is_not_in_git_stays_what_an_autoscaler_made_it(
    kubectl: Tools, sync: Callable[..., None], size: Callable[[], int]
):
    sync()
    assert size() == 1  # by default
    scale(kubectl, 3)
    sync()
    assert size() == 3


def test_a_size_in_git_is_set_back_at_each_sync(
    kubectl: Tools, sync: Callable[..., None], size: Callable[[], int]
):
    sync(replicas=2)
    scale(kubectl, 3)
    assert size() == 3
    sync(replicas=2)
    assert size() == 2


def test_a_size_that_is_taken_out_of_git_is_the_default_one(
    kubectl: Tools, sync: Callable[..., None], size: Callable[[], int]
):
    sync(replicas=2)
    sync()
    assert size() == 1


@pytest.mark.parametrize(("sync", "left"), [*zip(WAYS, (1, 3), strict=True)], indirect=["sync"])
def test_taken_out_after_an_autoscaler_has_set_it_it_is_kept_by_the_server_only(
    kubectl: Tools, sync: Callable[..., None], size: Callable[[], int], left: int
):
    sync(replicas=2)
    scale(kubectl, 3)
    sync()
    assert size() == left
