"""What the cluster's programs are built from: keys, commands, and what is linked in."""

import re
import shutil
from pathlib import Path

import pytest

from pennant_dev.addons import COREFILE
from pennant_dev.programs import KUBERNETES, MODULE, PROGRAMS, command, key, origin

pytestmark = pytest.mark.unit

OWN_VERSIONS = {"versitygw", "kwok", "actionlint", "promrules"}


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A copy of the Go module, to be changed."""
    return shutil.copytree(MODULE, tmp_path / MODULE.name)


def keys(module: Path) -> dict[str, str]:
    return {name: key(name, module) for name in PROGRAMS}


def rebuilt(module: Path, changed: str) -> set[str]:
    """The programs that are built anew once a file is another one."""
    before = keys(module)
    with (module / changed).open("a") as file:
        file.write("\n")
    after = keys(module)
    return {name for name in PROGRAMS if after[name] != before[name]}


def test_a_program_is_built_again_when_its_own_files_change(module: Path):
    assert rebuilt(module, "kubelite/coredns.go") == {"kubelite"}
    assert rebuilt(module, "pause/main.go") == {"pause"}
    assert rebuilt(module, "kstatus/main.go") == {"kstatus"}
    assert rebuilt(module, "promrules/main.go") == {"promrules"}


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_all_programs_of_the_module_are_built_again_when_its_versions_change(
    module: Path, file: str
):
    assert rebuilt(module, file) == set(PROGRAMS) - OWN_VERSIONS


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_versions_of_a_module_of_its_own_are_its_own(module: Path, file: str):
    assert rebuilt(module, f"promrules/{file}") == {"promrules"}


def test_no_two_programs_share_a_key(module: Path):
    assert len(set(keys(module).values())) == len(PROGRAMS)


def test_the_module_is_built_by_one_command_and_the_others_by_one_each():
    assert {name: origin(name) for name in PROGRAMS if origin(name) != "programs"} == {
        name: name for name in OWN_VERSIONS
    }
    assert command(["kubelite", "helm"])[-2:] == ["./kubelite", "helm.sh/helm/v3/cmd/helm"]
    assert command(["promrules"])[2:4] == ["-C", "./promrules"]


def test_helm_and_kubernetes_are_told_the_version_that_the_module_pins():
    assert f"\tk8s.io/kubernetes {KUBERNETES}\n" in (MODULE / "go.mod").read_text()

    flags = " ".join(command(["kubelite", "helm"]))
    assert f"version.gitVersion={KUBERNETES} " in flags
    assert f"chartutil.k8sVersionMinor={KUBERNETES.split('.')[1]}" in flags


def test_coredns_holds_the_plugins_that_its_configuration_names_and_no_other():
    imports = (MODULE / "kubelite/coredns.go").read_text()

    linked = set(re.findall(r'"github\.com/coredns/coredns/plugin/(\w+)"', imports))
    assert linked == set(re.findall(r"^ {4}(\w+)", COREFILE, re.MULTILINE))
