"""The bills of materials: valid, and what the locks and the image hold."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pennant_dev.buildkey import TARGETS
from pennant_dev.sbom import bill, packages, text_of
from pennant_testing.folders import REPOSITORY
from pennant_testing.locks import installed, locked

pytestmark = pytest.mark.contract

LOCKS = {
    "pennant-operator": "operator",
    "pennant-serving": "serving",
    "pennant-newsreco": "serving",
    "pennant-mlflow": "mlflow",
    "pennant-serving-boosters": "serving-boosters",
}
WITH_UV = {"pennant-serving", "pennant-serving-boosters", "pennant-newsreco"}
STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12
Description: GNU C Library
 of two lines

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""


def test_a_bill_is_valid_and_has_the_packages_with_their_hashes_and_debians():
    text = text_of(bill("pennant-operator", STATUS))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    said = json.loads(text)
    root = said["metadata"]["component"]
    assert (root["type"], root["name"]) == ("container", "pennant-operator")
    parts = {each["name"]: each for each in said["components"]}
    assert parts["kopf"]["purl"].startswith("pkg:pypi/kopf@")
    assert parts["kopf"]["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"
    assert parts["libc6"]["purl"] == "pkg:deb/debian/libc6@2.41-12?arch=amd64"
    assert "gone" not in parts
    (graph,) = (each for each in said["dependencies"] if each["ref"] == root["bom-ref"])
    assert set(graph["dependsOn"]) == {each["bom-ref"] for each in said["components"]}


@pytest.mark.parametrize("image", TARGETS)
def test_an_image_has_what_its_lock_installs_on_its_python(image: str):
    locked = {f"{each.name}=={each.version}" for each in installed(LOCKS[image], "3.12")}
    found = {line.split()[0] for line in packages(image)}
    assert {each for each in found - locked if not each.startswith("uv==")} == set()
    assert locked <= found
    assert any(each.startswith("uv==") for each in found) is (image in WITH_UV)


def test_the_audit_looks_at_the_packages_of_every_image():
    makefile = (REPOSITORY / "Makefile").read_text()
    (audited,) = re.findall(r"^AUDITED \?= (.*)$", makefile, re.MULTILINE)
    known = {each for lock in audited.split() for each in locked(lock)}
    assert {each for lock in LOCKS.values() for each in locked(lock)} - known == set()
