"""The Dockerfile of docs/environment.md, word for word, but for the package and where it is from.

The cluster is not asked: an image is built on the serving image, and runs by itself.
"""

import re
from pathlib import Path

import pytest

from pennant_dev.buildkey import reference
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError
from pennant_testing.cluster.images_on_top import BASE, built, run_in
from pennant_testing.packages.wheels import wheel

pytestmark = pytest.mark.e2e

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
