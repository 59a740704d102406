"""What the chart says of itself: the table of its values, and the images that an install pulls.

UPDATE_GOLDEN=1 writes both.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pennant_testing.control_plane.install_tools import CHART, VALUES_TO_BEGIN_WITH, Tools

pytestmark = pytest.mark.contract

PAGE, IMAGES = CHART / "README.md", CHART / "images.txt"
TABLE = re.compile(r"(<!-- generated: values -->\n).*(<!-- end of values -->)", re.DOTALL)
LONGEST = 100  # of a default, in characters
LINES = (CHART / "values.yaml").read_text().splitlines()


def comment(line: int) -> str:
    """The comment right above a line of values.yaml, as one line of Markdown."""
    words: list[str] = []
    while line > 0 and (found := re.fullmatch(r"\s*# ?(.*)", LINES[line - 1])):
        words.insert(0, found[1].strip())
        line -= 1
    return " ".join(words).replace("|", "\\|")


def rows(node: yaml.MappingNode, path: str = "") -> Iterator[str]:
    """A row for each value, and for each group that is explained as one."""
    for key, value in node.value:
        name, said = f"{path}{key.value}", comment(key.start_mark.line)
        group = isinstance(value, yaml.MappingNode) and bool(value.value)
        if group and said:
            yield f"| **`{name}`** | | {said} |"
        if group:
            yield from rows(value, f"{name}.")
        else:
            default = f"`{json.dumps(yaml.safe_load(yaml.serialize(value)))}`"
            shown = default if len(default) <= LONGEST else "[values.yaml](values.yaml)"
            yield f"| `{name}` | {shown} | {said} |"


def table() -> str:
    root = yaml.compose("\n".join(LINES))
    assert isinstance(root, yaml.MappingNode)
    return "\n".join(["| value | default | |", "|---|---|---|", *rows(root), ""])


def listed(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_the_page_has_every_value_with_its_default_and_its_comment():
    page = PAGE.read_text()
    written = TABLE.sub(lambda m: m[1] + table() + m[2], page)
    if "UPDATE_GOLDEN" in os.environ:
        PAGE.write_text(written)
    assert PAGE.read_text() == written, "run with UPDATE_GOLDEN=1"


def test_the_page_names_each_file_of_values_that_is_tried():
    names = [each.name for each in VALUES_TO_BEGIN_WITH]
    assert re.findall(r"\]\(ci/([\w-]+-values\.yaml)\)", PAGE.read_text()) == names


def test_the_list_of_images_is_what_an_install_pulls():
    text = json.dumps(Tools().chart() + Tools().kustomized("cluster-install"))
    pulled = sorted(set(re.findall(r'"(pennant-[a-z]+:[^"]+)"', text)))
    head = "".join(f"{line}\n" for line in IMAGES.read_text().splitlines() if line.startswith("#"))
    if "UPDATE_GOLDEN" in os.environ:
        IMAGES.write_text(head + "".join(f"{image}\n" for image in pulled))
    assert listed(IMAGES) == pulled, "run with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("values", VALUES_TO_BEGIN_WITH, ids=lambda path: path.stem)
def test_each_file_of_values_is_rendered_for_restricted_pod_security(values: Path):
    """`helm template` holds it to the schema first."""
    objects = Tools().chart("--values", str(values))
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert (
        pod["securityContext"].items()
        >= {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }.items()
    )
    assert (
        pod["containers"][0]["securityContext"].items()
        >= {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }.items()
    )
