"""The kind provider's command lines and cluster file."""

import json
from pathlib import Path

import pytest

from pennant_dev import kind
from pennant_dev.cluster import choose
from pennant_dev.kind import Kind
from pennant_dev.local import Local
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError

pytestmark = pytest.mark.unit


def settings(provider: str | None) -> Settings:
    return Settings(state=Path("/state"), cache=Path("/cache"), provider=provider)


def test_the_cluster_has_two_workers():
    roles = [node["role"] for node in json.loads(kind.config())["nodes"]]

    assert roles == ["control-plane", "worker", "worker"]


def test_the_users_own_kubeconfig_is_never_touched():
    own = Kind(settings("kind")).kubeconfig

    assert f"--kubeconfig={own}" in kind.create_command(own)
    assert f"--kubeconfig={own}" in kind.delete_command(own)
    assert own == Path("/cache/kind.kubeconfig")


def test_the_cluster_file_comes_on_standard_input():
    assert "--config=-" in kind.create_command(Path("/k"))


def test_an_archive_and_an_image_of_docker_are_loaded_differently():
    assert kind.load_command("localhost/a:dev")[:4] == [
        *("kind", "load", "docker-image", "localhost/a:dev")
    ]
    assert kind.load_command(Path("/a.tar"))[:4] == ["kind", "load", "image-archive", "/a.tar"]


def test_the_provider_asked_for_is_taken():
    assert isinstance(choose(settings("kind")), Kind)
    assert isinstance(choose(settings("local")), Local)


def test_an_unknown_provider_is_named_in_the_error():
    with pytest.raises(DevError, match="PENNANT_CLUSTER=minikube: want `kind`, `local` or"):
        choose(settings("minikube"))


def test_empty_variables_count_as_unset():
    chosen = Settings.from_env({"PENNANT_CLUSTER": "", "PENNANT_STATE": "", "XDG_CACHE_HOME": "/c"})

    assert chosen.provider is None
    assert chosen.state == Path("/var/lib/pennant-dev")
    assert chosen.cache == Path("/c/pennant")
