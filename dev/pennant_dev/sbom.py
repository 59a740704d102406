"""Bills of materials of the images (CycloneDX, JSON), into out/sbom: `make sbom`.

The Python packages are those of an image's lock, with their hashes. Debian's come from the image's
list of packages, /var/lib/dpkg/status, where that is given; a base image has others each month.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement

from pennant_dev.buildkey import TARGETS
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import run

FOLDER = REPOSITORY / "out" / "sbom"
TOOLS = "requirements/image-tools.txt"
WITH_UV = ("pennant-serving", "pennant-serving-boosters", "pennant-newsreco")
"""The images into which the Dockerfile copies uv."""


def python_of_images() -> str:
    """The Python of the Dockerfile's base image, such as 3.12."""
    text = (REPOSITORY / "Dockerfile").read_text()
    match = re.search(r"^ARG PYTHON_IMAGE=python:(3\.\d+)-slim", text, re.MULTILINE)
    if match is None:
        raise ValueError("Dockerfile: no `ARG PYTHON_IMAGE=python:3.N-slim`")
    return match[1]


def pins(lock: str, python: str) -> Iterator[str]:
    """What a lock installs on Linux, each package with its hashes and without its condition."""
    platform = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    interpreter = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    whole = (REPOSITORY / lock).read_text().replace("\\\n", " ")
    for line in whole.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pin, *hashes = line.split(" --hash=")
        wanted = Requirement(pin.strip())
        if wanted.marker is None or wanted.marker.evaluate(platform | interpreter):
            yield " --hash=".join([f"{wanted.name}{wanted.specifier} ", *map(str.strip, hashes)])


def packages(image: str) -> list[str]:
    """The Python packages of an image, as lines of requirements."""
    python = python_of_images()
    lock = next(name for name in TARGETS[image] if name.startswith("requirements/"))
    lent = [pin for pin in pins(TOOLS, python) if pin.startswith("uv==") and image in WITH_UV]
    return [*pins(lock, python), *lent]


def debian(status: str) -> Iterator[Component]:
    """The packages that a dpkg status file says are installed."""
    for paragraph in status.strip().split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if fields["Status"] == "install ok installed":
            name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
            purl = PackageURL("deb", "debian", name, version, {"arch": arch})
            yield Component(name=name, version=version, purl=purl, bom_ref=purl.to_string())


def bill(image: str, status: str = "") -> Bom:
    """Of one image: itself as the container, and all that is in it."""
    program = str(Path(sys.executable).parent / "cyclonedx-py")
    words = ["requirements", "-", "--no-validate", "--output-reproducible", "--sv=1.6"]
    output = json.loads(run([program, *words], stdin="\n".join(packages(image))))
    bom: Bom = Bom.from_json(output)  # type: ignore[attr-defined]  # its decorator adds it
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    container = Component(
        name=image, version=version, type=ComponentType.CONTAINER, bom_ref=f"{image}@{version}"
    )
    bom.metadata.component = container
    bom.components.update(debian(status))
    bom.register_dependency(container, bom.components)
    return bom


def text_of(bom: Bom) -> str:
    """As it is written."""
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def main(words: list[str] | None = None) -> int:
    """Write the bills of the images that are named, of all without a name."""
    parser = argparse.ArgumentParser(prog="make sbom", description=__doc__)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=", ".join(TARGETS))
    parser.add_argument("--dpkg-status", type=Path, help="the image's /var/lib/dpkg/status")
    arguments = parser.parse_args(words)
    unknown = set(arguments.images) - TARGETS.keys()
    if unknown:
        parser.error(f"no image {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    status = arguments.dpkg_status.read_text() if arguments.dpkg_status else ""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for image in arguments.images or TARGETS:
        path = FOLDER / f"{image}.cdx.json"
        path.write_text(text_of(bill(image, status)))
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
