"""Locking with a real uv, by a real index, in a real MLflow: the tag, and what pods do by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_cli.packages.lock import lock as lock_command
from pennant_cli.version_names import version_name
from pennant_registry import lock_form
from pennant_registry.errors import DigestMismatchError, LockError, RegistryError
from pennant_registry.lock_form import EnvironmentLock
from pennant_serving.environ import Environ
from pennant_serving.environment import uv
from pennant_serving.environment.pins import decode
from pennant_serving.environment.providing import provide
from pennant_serving.environment.record import PYTHON
from pennant_serving.environment.settings import BundleEnvironment
from pennant_serving.lifecycle.phases import Phases
from pennant_testing.packages.bundles import bundle_asking
from pennant_testing.packages.simple_index import PackageIndex, needs, package_index
from pennant_testing.packages.wheels import runtime_wheels, wheel

pytestmark = pytest.mark.integration

TAG = "pennant.environment"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    folder = tmp_path / "wheels"
    runtime_wheels(folder)
    wheel(folder, "alpha", "1.1", "beta>=2")
    wheel(folder, "beta", "2.0")
    with package_index(folder) as index:
        yield index


@pytest.fixture(autouse=True)
def no_index_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "UV_INDEX"):
        monkeypatch.delenv(program, raising=False)


@pytest.fixture
def logged(client: MlflowClient, tmp_path: Path) -> Callable[..., str]:
    """Makes a run that has logged a bundle with these requirements as `model`; its id."""

    def make(*lines: str, local: bool = True) -> str:
        bundle = bundle_asking(tmp_path / "logged", *lines)
        if local:
            wheel(bundle / "code", "local", "0.1", "beta<3")
        run_id: str = client.create_run("0").info.run_id
        client.log_artifacts(run_id, str(bundle), "model")
        return run_id

    return make


def lock_in(client: MlflowClient, name: str, number: int) -> EnvironmentLock:
    return lock_form.read(client.get_model_version(name, str(number)).tags[TAG])


def test_a_version_is_registered_with_its_lock_and_its_pods_install_exactly_that(
    client: MlflowClient,
    logged: Callable[..., str],
    name: str,
    index: PackageIndex,
    tmp_path: Path,
):
    number = pennant_registry.register(
        logged("alpha"), "model", name, lock=True, index_url=index.url
    )
    tags = client.get_model_version(name, str(number)).tags
    lock = lock_form.read(tags[TAG])
    assert lock.python == PYTHON
    assert {"alpha==1.1", "beta==2.0", "local==0.1"} < {str(pin) for pin in decode(lock.pins)}

    wheel(index.folder, "alpha", "1.2")
    wheel(index.folder, "beta", "2.1")
    model_path = tmp_path / "models" / "bundle"
    shutil.copytree(tmp_path / "logged" / "bundle", model_path)
    variables = {
        "PENNANT_ENVIRONMENT": "Bundle",
        "PENNANT_INDEX_URL": index.url,
        "PENNANT_PINNED_ENVIRONMENT": tags[TAG],
    }
    wanted = BundleEnvironment.from_env(Environ(variables))
    assert wanted is not None
    record, _ = provide(wanted, model_path, Phases())
    assert record.digest == lock.digest
    assert {line.partition(" ")[0] for line in record.wheels} == {
        str(pin) for pin in decode(lock.pins)
    }


def test_where_nothing_goes_with_what_the_server_needs_no_version_is_made(
    client: MlflowClient, logged: Callable[..., str], name: str, index: PackageIndex
):
    run_id = logged("alpha==9.9")
    with pytest.raises(LockError, match=r"cannot be locked by the packages of http.*'alpha==9\.9'"):
        pennant_registry.register(run_id, "model", name, lock=True, index_url=index.url)
    assert client.search_model_versions(f"name='{name}'") == []


def test_a_version_is_locked_later_and_anew_on_the_command_line(
    client: MlflowClient, logged: Callable[..., str], name: str, index: PackageIndex
):
    number = pennant_registry.register(logged("alpha"), "model", name)
    assert TAG not in client.get_model_version(name, str(number)).tags
    done = lock_command(version_name(f"{name}/{number}"), [index.url])
    first = lock_in(client, name, number)
    assert done == f"{name}/{number}: pennant.environment {first.digest} (Python {PYTHON})"
    wheel(index.folder, "alpha", "1.2")
    lock_command(version_name(f"{name}/{number}"), [index.url])
    assert lock_in(client, name, number).digest != first.digest


def test_what_is_not_what_was_registered_is_not_locked(
    client: MlflowClient, logged: Callable[..., str], name: str, index: PackageIndex
):
    number = pennant_registry.register(logged("alpha"), "model", name)
    client.set_model_version_tag(name, str(number), "pennant.sha256", "0" * 64)
    with pytest.raises(DigestMismatchError, match="register the artifact anew"):
        pennant_registry.lock(name, number, index_url=index.url)
    assert TAG not in client.get_model_version(name, str(number)).tags


def test_the_index_of_uvs_or_pips_variables_is_asked_and_an_account_shown_to_it_alone(
    logged: Callable[..., str],
    name: str,
    index: PackageIndex,
    monkeypatch: pytest.MonkeyPatch,
):
    index.refusal = needs("ana", "s3cret/")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with_account = index.url.replace("//", "//ana:s3cret%2F@")
    monkeypatch.setenv("UV_DEFAULT_INDEX", with_account)
    pennant_registry.register(logged("alpha"), "model", name, lock=True)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    with pytest.raises(LockError, match="the package index refuses") as refused:
        pennant_registry.register(logged("alpha"), "model", name, lock=True)
    assert "s3cret" not in str(refused.value)


def test_without_an_index_or_uv_it_says_what_to_do(
    logged: Callable[..., str], name: str, monkeypatch: pytest.MonkeyPatch
):
    run_id = logged("alpha")
    with pytest.raises(LockError, match="no package index is named: give index_url"):
        pennant_registry.register(run_id, "model", name, lock=True)
    urls = ["https://ana:x@a.example/simple", "https://b.example/simple"]
    with pytest.raises(LockError, match="have different accounts"):
        pennant_registry.register(run_id, "model", name, lock=True, index_url=urls)
    with pytest.raises(LockError, match="'packages' is no http or https address"):
        pennant_registry.register(run_id, "model", name, lock=True, index_url="packages")
    with pytest.raises(LockError, match="give both or neither"):
        pennant_registry.register(run_id, "model", name, index_url="http://a.example")
    with pytest.raises(RegistryError, match=f"tag {TAG} is what register computes"):
        pennant_registry.register(run_id, "model", name, {TAG: "x"}, lock=True)
    monkeypatch.setattr(uv, "PROGRAM", "no-such-program")
    with pytest.raises(
        LockError, match=r"uv, .* not installed here: pip install 'pennant\[lock\]'"
    ):
        pennant_registry.register(run_id, "model", name, lock=True, index_url="http://a.example")


def test_it_is_locked_with_the_python_that_it_was_made_with(
    logged: Callable[..., str], name: str, index: PackageIndex, tmp_path: Path
):
    bundle_asking(tmp_path / "logged", "alpha", python_env_yaml="python: 3.7.1\n")
    with pytest.raises(LockError, match=rf"made with Python 3\.7, and this is Python {PYTHON}:"):
        pennant_registry.register(logged("alpha"), "model", name, lock=True, index_url=index.url)
