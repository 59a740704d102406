"""The provider for a cluster that is not ours."""

from pathlib import Path

import pytest

from pennant_dev import cluster
from pennant_dev.cluster import choose
from pennant_dev.context import Context
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError

pytestmark = pytest.mark.unit


def settings(**environ: str) -> Settings:
    return Settings.from_env({"PENNANT_CLUSTER": "context", "XDG_CACHE_HOME": "/c", **environ})


def test_it_is_the_cluster_of_the_users_kubeconfig():
    chosen = choose(settings(KUBECONFIG="/home/me/work.kubeconfig"))
    assert isinstance(chosen, Context)
    assert chosen.kubeconfig == Path("/home/me/work.kubeconfig")


def test_without_a_variable_it_is_kubectls_own_default():
    assert choose(settings()).kubeconfig == Path.home() / ".kube" / "config"


def test_several_kubeconfigs_are_not_guessed_between():
    with pytest.raises(DevError, match="KUBECONFIG=/a:/b: one file"):
        _ = choose(settings(KUBECONFIG="/a:/b")).kubeconfig


@pytest.mark.parametrize("command", ["down", "reset"])
def test_a_cluster_that_is_not_ours_is_not_stopped(command: str):
    with pytest.raises(DevError, match="yours to stop"):
        getattr(choose(settings()), command)()


def test_loading_an_image_says_where_to_push_it_instead():
    with pytest.raises(DevError, match=r"push localhost/pennant-operator:dev to a registry"):
        cluster.load(["pennant-operator"], settings())


def test_up_says_when_nothing_answers(tmp_path: Path):
    nowhere = tmp_path / "kubeconfig"
    # Without an address kubectl would ask whatever listens on this machine's port 8080.
    nowhere.write_text(
        "{apiVersion: v1, kind: Config, current-context: nowhere,\n"
        'clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}],\n'
        "contexts: [{name: nowhere, context: {cluster: nowhere}}]}\n"
    )
    with pytest.raises(DevError, match="kubectl"):
        choose(settings(KUBECONFIG=str(nowhere))).up()
