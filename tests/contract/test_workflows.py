"""GitHub's workflows: valid, pinned, with the least rights, and about what is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_dev.binaries import ensure
from pennant_dev.buildkey import TARGETS, build_flags

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
USES = r"^ *(?:- )?uses: (.*)$"
PUBLISH = "Publish, with the changelog's section and the images' SBOMs"
MADE = "out"  # where what is made goes, such as what a job makes
NOT_RELEASED = {"pennant-mlflow"}  # of the demo and the tests

workflows = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)


def parsed(workflow: Path) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for true: BaseLoader leaves every word as it is written.
    content: dict[str, Any] = yaml.load(workflow.read_text(), Loader=yaml.BaseLoader)
    return content


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in parsed(workflow)["jobs"].values():
        yield from job.get("steps", ())


def scripts(workflow: Path) -> str:
    return "\n".join(step["run"] for step in steps(workflow) if "run" in step)


RELEASE = next(path for path in WORKFLOWS if path.stem == "release")
AUDIT = next(path for path in WORKFLOWS if path.stem == "audit")


def script(name: str) -> str:
    """What a step of the release runs."""
    (found,) = (step for step in steps(RELEASE) if step.get("name") == name)
    run: str = found["run"]
    return run


def done(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A step's script, run as GitHub runs it."""
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    path = f"{ensure('helm')['helm'].parent}:{os.defpath}"
    # A file that is not there: nothing reaches the cluster of whoever runs the tests.
    environment = {"PATH": path, "HOME": str(folder), "KUBECONFIG": "/nonexistent", **variables}
    return subprocess.run(
        shell, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_actionlint_finds_nothing():
    lint = [ensure("actionlint")["actionlint"], "-shellcheck=", "-pyflakes=", "-oneline"]
    found = subprocess.run(
        [*lint, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)


def test_every_action_is_pinned_by_its_commit_and_everywhere_by_the_same():
    used = [
        action
        for workflow in WORKFLOWS
        for action in re.findall(USES, workflow.read_text(), re.MULTILINE)
        if not action.startswith("./")
    ]
    commits = {}
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
        name, _, commit = action.partition("@")
        assert commits.setdefault(name, commit) == commit
    assert "actions/checkout" in commits


@workflows
def test_a_workflow_may_read_and_a_job_that_writes_says_what(workflow: Path):
    assert parsed(workflow)["permissions"] == {"contents": "read"}
    written = re.findall(r"^ +[\w-]+: write\b(.*)$", workflow.read_text(), re.MULTILINE)
    assert [comment for comment in written if not re.fullmatch(r" # \w.*", comment)] == []


@workflows
def test_the_checkout_keeps_no_credentials(workflow: Path):
    checkouts = [s for s in steps(workflow) if s.get("uses", "").startswith("actions/checkout@")]
    assert [s for s in checkouts if s["with"] != {"persist-credentials": "false"}] == []


@workflows
def test_no_script_has_an_expression_pasted_into_it(workflow: Path):
    """A branch's name is a stranger's text: it comes by a variable, which is never code."""
    assert "${{" not in scripts(workflow)


@workflows
def test_what_a_workflow_calls_and_names_is_there(workflow: Path):
    targets = re.findall(r"^([\w -]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = re.findall(r"^make (\S+)$", scripts(workflow), re.MULTILINE)
    assert set(called) <= set(" ".join(targets).split())

    folders = (path.name for path in ROOT.iterdir() if path.is_dir() and path.name != MADE)
    top = "|".join(map(re.escape, folders))
    named = re.findall(rf"(?<![\w/.$-])(?:\./)?((?:{top})/[\w./-]+)", workflow.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_pull_requests_are_checked_and_tested_and_a_release_waits_for_both():
    for workflow in WORKFLOWS:
        on, jobs = parsed(workflow)["on"], parsed(workflow)["jobs"]
        if workflow == RELEASE:
            assert {job["uses"] for job in jobs.values() if "uses" in job} == {
                "./.github/workflows/check.yaml",
                "./.github/workflows/test.yaml",
            }
            assert {"check", "test"} <= set(jobs["images"]["needs"])
            continue
        by_hand = {"schedule", "workflow_dispatch"}
        asked = by_hand if workflow == AUDIT else {"push", "pull_request", "workflow_call"}
        assert asked == set(on)
        assert f"make {workflow.stem}" in scripts(workflow)


def test_every_image_is_released_as_it_is_built_here():
    matrix = parsed(RELEASE)["jobs"]["images"]["strategy"]["matrix"]["include"]
    released = {each["image"]: each["flags"].split() for each in matrix}
    assert released == {name: build_flags(name)[:-1] for name in TARGETS.keys() - NOT_RELEASED}

    (listed,) = re.findall(r"for name in (.*); do", scripts(RELEASE))
    assert set(listed.split()) == set(released)


@pytest.mark.parametrize("pinned", ["", f"@sha256:{'b' * 64}"])
def test_a_release_has_one_base_image_by_its_digest(tmp_path: Path, pinned: str):
    """The Dockerfile's own, where somebody pinned it, else the one that the name stands for."""
    (tmp_path / "Dockerfile").write_text(f"ARG PYTHON_IMAGE=python:3.12-slim{pinned}\n")
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$4" = python:3.12-slim ] && echo sha256:{"a" * 64}\n')
    docker.chmod(0o755)
    step = script("The base image by its digest, once for all images")
    path = f"export PATH={tmp_path}:$PATH\n"
    tried = done(path + step, tmp_path, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert (tried.returncode, tried.stderr) == (0, "")
    expected = pinned or f"@sha256:{'a' * 64}"
    assert (tmp_path / "output").read_text() == f"base=python:3.12-slim{expected}\n"


def test_every_image_gets_a_bill_of_materials_and_the_base_that_was_resolved():
    build, attest = script("Build and push"), script("Attest the bill of materials")
    assert '--build-arg "PYTHON_IMAGE=$BASE"' in build
    assert 'make sbom SBOM_ARGS="$NAME --dpkg-status dpkg-status"' in attest
    assert "cosign attest --yes --type cyclonedx" in attest
    assert "out/sbom/*.cdx.json images.txt" in script(PUBLISH)


@pytest.mark.parametrize(
    ("tag", "heading", "released"),
    [
        ("v0.1.0", "## 0.1.0 - 2026-12-24", True),
        ("v0.1.1", "## 0.1.1", False),  # pyproject.toml says 0.1.0
        ("v0.1.0", "## Unreleased", False),
        ("v0.1.0", "## 0.1.01", False),
    ],
)
def test_a_tag_is_released_when_the_package_and_the_changelog_say_so(
    tmp_path: Path, tag: str, heading: str, released: bool
):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n- New\n\n## 0.0.9\n- Old\n")
    output = tmp_path / "output"

    step = script("The tag says what the package says, and the changelog has a section about it")
    given = {"GITHUB_REF_NAME": tag, "GITHUB_REPOSITORY_OWNER": "Acme"}
    tried = done(step, tmp_path, **given, GITHUB_OUTPUT=str(output))
    assert (tried.returncode == 0) is released, tried.stderr
    expected = "version=0.1.0\nregistry=ghcr.io/acme\n" if released else ""
    assert (output.read_text() if output.exists() else "") == expected


def test_a_releases_notes_are_its_section_of_the_changelog(tmp_path: Path):
    sections = (
        "## Unreleased\n- Next\n\n## 0.2.0 - 2026-12-24\n\n### Added\n- New\n\n## 0.1.0\n- Old\n"
    )
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{sections}")
    notes, *_ = script(PUBLISH).splitlines()

    assert done(notes, tmp_path, VERSION="0.2.0").returncode == 0
    assert (tmp_path / "notes.md").read_text() == "\n### Added\n- New\n\n"


def test_the_released_chart_has_the_released_images_as_its_default(tmp_path: Path):
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    step = script("Package the chart, with the images that were just pushed as its default")

    packaged = done(step, tmp_path, REGISTRY="ghcr.io/acme", VERSION="0.2.0")
    assert (packaged.returncode, packaged.stderr) == (0, "")

    rendered = done("helm template pennant-0.2.0.tgz", tmp_path).stdout
    images = set(re.findall(r'"(\S*/?pennant-\w+:\S+)"', rendered))
    assert images == {f"ghcr.io/acme/pennant-{each}:0.2.0" for each in ("operator", "serving")}
