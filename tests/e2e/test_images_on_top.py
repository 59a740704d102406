"""The Dockerfile of docs/environment.md, word for word, but for the package and where it is from;
and `pennant image build`.

The cluster is not asked: an image is built on the serving image, and runs by itself.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_cli.packages.image.build import ImageOrder, build, publish
from pennant_cli.packages.image.builders import Builder
from pennant_cli.version_names import VersionName
from pennant_dev.buildkey import reference
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, run
from pennant_registry import versions
from pennant_testing.cluster.image_registry import image_registry
from pennant_testing.cluster.images_on_top import (
    BASE,
    builder_with_base,
    built,
    run_in,
    variables_of_store,
)
from pennant_testing.mlflow.mlflow_server import mlflow_server
from pennant_testing.packages.bundles import bundle_asking
from pennant_testing.packages.simple_index import needs, package_index
from pennant_testing.packages.wheels import wheel

pytestmark = pytest.mark.e2e

LOOK_AT_BOTH = """
import importlib.util, local, os, more
compiled = importlib.util.cache_from_source(more.__file__)
left = os.path.exists("/asked")
print(local.__version__, more.ones(3), os.path.exists(compiled), os.getuid(), left)
"""
PAGE = Path(__file__).parents[2] / "docs" / "environment.md"
NAME = "localhost/serving-and-more:dev"
LOOK = """
import importlib.util, os, pathlib, more, numpy
compiled = importlib.util.cache_from_source(more.__file__)
pins = pathlib.Path("/venv/requirements.txt").read_text()
print(more.ones(3), os.path.exists(compiled), os.getuid(), f"numpy=={numpy.__version__} " in pins)
"""


def documented(package: str) -> str:
    """The page's Dockerfile, with a package of the folder `wheels`, and nothing from elsewhere."""
    (text,) = re.findall(r"```dockerfile\n(.*?)```", PAGE.read_text(), re.DOTALL)
    base, wheels = f"FROM {reference(BASE)}\nCOPY wheels /wheels", "--no-index --find-links /wheels"
    text, bases = re.subn(r"^FROM \S+$", base, text, flags=re.MULTILINE)
    text, packages = re.subn(r"\S+==\S+", f"{wheels} {package}", text)
    assert (bases, packages) == (1, 1)
    return text


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder to build from, with wheels: one that goes with the image, and one that does not."""
    wheels = tmp_path / "wheels"
    ones = "import numpy\n\ndef ones(n):\n    return int(numpy.ones(n).sum())\n"
    wheel(wheels, "more", "1.0", "numpy", files={"more.py": ones})
    wheel(wheels, "older", "1.0", "numpy<2")
    wheel(wheels, "numpy", "1.26.4")
    return tmp_path


def test_the_documented_dockerfile_adds_a_package_with_byte_code_and_changes_no_other(
    context: Path,
):
    settings = Settings.from_env()
    (context / "Dockerfile").write_text(documented("more==1.0"))
    with built(context, NAME, settings) as image:
        assert run_in(image, ["python", "-c", LOOK], settings).split() == [
            "3",
            "True",
            "65532",
            "True",
        ]


def test_a_package_that_needs_another_numpy_than_the_image_has_fails_the_build(context: Path):
    (context / "Dockerfile").write_text(documented("older==1.0"))
    with (
        pytest.raises(DevError, match=r"older depend on numpy<2 and numpy.*==2"),
        built(context, NAME, Settings.from_env()),
    ):
        pass


@pytest.fixture(scope="module")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def registered(mlflow_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VersionName:
    """A version whose bundle asks for a package, and brings another."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    bundle = bundle_asking(tmp_path / "logged", "more==1.0")
    wheel(bundle / "code", "local", "0.1", "numpy")
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_artifacts(run_id, str(bundle), "model")
    return VersionName("news", pennant_registry.register(run_id, "model", "news"))


def test_the_command_builds_an_image_with_a_versions_packages_and_nothing_that_made_it(
    registered: VersionName, context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = Settings.from_env()
    commands = builder_with_base(settings)
    for variable, value in variables_of_store(settings, tmp_path).items():
        monkeypatch.setenv(variable, value)
    with package_index(context / "wheels", refusal=needs("ana", "s3cret")) as index:
        url = index.url.replace("//", "//ana:s3cret@")
        order = ImageOrder(registered, reference(BASE), NAME, (url,))
        never = ["--network=host"] if commands == ["docker"] else ["--pull-never"]
        assert build(order, commands[0], never) == NAME
    try:
        printed = run_in(NAME, ["python", "-c", LOOK_AT_BOTH], settings).split()
        assert printed == ["0.1", "3", "True", "65532", "False"]
    finally:
        run([*commands, "rmi", NAME])


@pytest.mark.skipif(shutil.which("buildah") is None, reason="a registry without TLS is buildah's")
def test_what_is_pushed_is_named_by_its_digest_in_the_versions_tag(
    registered: VersionName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for variable, value in variables_of_store(Settings.from_env(), tmp_path).items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    client, buildah = MlflowClient(), Builder("buildah")
    with image_registry() as images:
        file = tmp_path / "registries.conf"
        file.write_text(f'[[registry]]\nlocation = "{images.address}"\ninsecure = true\n')
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(file))
        order = ImageOrder(registered, "scratch", f"{images.address}/news:8", push=True, tag=True)
        buildah.build(tmp_path, order.name, [], [])
        try:
            version = versions.get(client, registered.model, registered.version)
            pinned = publish(order, buildah, client, version)
        finally:
            run(["buildah", "rmi", order.name])
    assert pinned == f"{images.address}/news@{images.manifests['news:8']}"
    tags = client.get_model_version("news", str(registered.version)).tags
    assert tags["pennant.image"] == pinned
