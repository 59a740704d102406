"""The examples for Argo CD and Flux are what these take, by their own definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pennant_dev.shell import DevError
from pennant_testing.control_plane.install_tools import MANIFESTS, Tools, succeeds
from pennant_testing.folders import REPOSITORY
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

CRDS = REPOSITORY / "tests" / "golden" / "gitops-crds.yaml"
EXAMPLES = REPOSITORY / "examples" / "gitops"
FILES = (
    EXAMPLES / "argocd" / "application.yaml",
    EXAMPLES / "flux" / "gitrepository.yaml",
    MANIFESTS / "gitops" / "flux-health.yaml",
)
CREATE = ("create", "--dry-run=server", "--validate=strict", "--filename=-")


@pytest.fixture(scope="module")
def kubectl(tools: Tools) -> Iterator[Tools]:
    """On an API server that has their kinds."""
    tools.kubectl("apply", "--server-side", f"--filename={CRDS}")
    names = [crd["metadata"]["name"] for crd in yaml.safe_load_all(CRDS.read_text())]
    # A kind is served a moment before its schema is published.
    until(lambda: all(succeeds(lambda each=each: tools.kubectl("explain", each)) for each in names))
    for namespace in ("argocd", "flux-system"):
        tools.kubectl("create", "namespace", namespace)
    yield tools
    tools.kubectl("delete", f"--filename={CRDS}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_taken_and_no_field_is_misspelt(kubectl: Tools, path: Path):
    content = yaml.safe_load(path.read_text())
    assert "created (server dry run)" in kubectl.kubectl(*CREATE, stdin=json.dumps(content))
    content["spec"]["intervall"] = "1m"
    with pytest.raises(DevError, match=r'unknown field "spec\.intervall"'):
        kubectl.kubectl(*CREATE, stdin=json.dumps(content))


def test_what_lies_in_git_is_taken(kubectl: Tools):
    models = kubectl.kubectl("kustomize", str(EXAMPLES / "models"))
    assert kubectl.kubectl(*CREATE, stdin=models).count("created (server dry run)") == 2


def test_both_follow_the_same_repository_from_its_root():
    application, repository, health = (yaml.safe_load(path.read_text())["spec"] for path in FILES)
    assert application["source"]["repoURL"] == repository["url"]
    assert (application["source"]["path"], health["path"]) == (".", "./")
    assert health["sourceRef"]["name"] == "models"
