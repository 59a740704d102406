"""The local provider's pure parts: packet filter rules, node files, archives, build keys."""

import json
import os
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pennant_dev import oci
from pennant_dev.binaries import _link
from pennant_dev.buildah import bud_flags
from pennant_dev.buildkey import TARGETS, USUAL, build_flags, build_key
from pennant_dev.iptables import removal
from pennant_dev.node import nodes
from pennant_dev.processes import Processes, identify

pytestmark = pytest.mark.unit

SAVED = """\
*nat
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
-A POSTROUTING -m comment --comment "to KUBE-SERVICES" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.1/32 -j ACCEPT
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -j DOCKER
COMMIT
"""


def test_only_our_chains_and_the_rules_that_lead_to_them_are_removed():
    assert removal(SAVED).splitlines() == [
        "*nat",
        '-D POSTROUTING -m comment --comment "to KUBE-SERVICES" -j KUBE-SERVICES',
        "-F KUBE-SERVICES",
        "-F CNI-HOSTPORT-DNAT",
        "-X KUBE-SERVICES",
        "-X CNI-HOSTPORT-DNAT",
        "COMMIT",
    ]


def test_a_machine_without_our_chains_is_left_alone():
    assert removal("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j DOCKER\nCOMMIT\n") == ""


def test_two_nodes_share_no_folder_address_port_or_cgroup():
    first, second = (node.kubelet(Path("/pki")) for node in nodes(Path("/state")))

    for field in ("address", "healthzPort", "cgroupRoot", "containerRuntimeEndpoint", "podLogsDir"):
        assert first[field] != second[field]


def test_two_state_folders_share_no_cgroup():
    assert nodes(Path("/a"))[0].cgroup != nodes(Path("/b"))[0].cgroup


def test_an_archive_is_the_same_for_the_same_program(tmp_path: Path):
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    for name in ("a.tar", "b.tar"):
        oci.write_single_binary(tmp_path / name, program, "localhost/pause:1")

    [image] = oci.inspect(tmp_path / "a.tar")
    assert image.reference == "localhost/pause:1"
    assert oci.inspect(tmp_path / "b.tar") == [image]


def test_an_image_is_built_again_when_a_file_it_holds_changes(tmp_path: Path):
    (tmp_path / "operator").mkdir()
    source = tmp_path / "operator" / "a.py"
    source.write_text("1")
    keys = {name: build_key(tmp_path, name) for name in TARGETS}
    source.write_text("2")

    changed = {name for name in TARGETS if build_key(tmp_path, name) != keys[name]}
    assert changed == set(TARGETS) - {"pennant-mlflow"}


def test_byte_code_changes_no_build_key(tmp_path: Path):
    before = build_key(tmp_path, "pennant-serving")
    (tmp_path / "serving/__pycache__").mkdir(parents=True)
    (tmp_path / "serving/__pycache__/a.pyc").write_bytes(b"1")

    assert build_key(tmp_path, "pennant-serving") == before


def test_the_image_with_the_boosters_is_another_build_of_serving_and_made_only_when_asked_for():
    name = "pennant-serving-boosters"

    assert build_flags(name) == [
        *("--build-arg=SERVING_LOCK=serving-boosters", "--target=pennant-serving"),
        "--tag=localhost/pennant-serving-boosters:dev",
    ]
    assert name not in USUAL


def test_a_build_bakes_no_variable_of_this_machine_into_the_image():
    assert not [flag for flag in bud_flags("pennant-serving") if flag.startswith("--env")]


def test_a_pid_given_to_a_stranger_is_not_taken_for_ours(tmp_path: Path):
    mine = identify(os.getpid())
    assert mine is not None
    (tmp_path / "run").mkdir()
    record = tmp_path / "run" / "etcd.json"

    record.write_text(json.dumps(asdict(mine)))
    assert Processes(tmp_path).running("etcd") == mine
    record.write_text(json.dumps(asdict(replace(mine, started=mine.started - 1))))
    assert Processes(tmp_path).running("etcd") is None


def test_a_stopped_process_is_gone_with_its_record(tmp_path: Path):
    processes = Processes(tmp_path)
    processes.start("sleeper", ["sleep", "60"])
    assert processes.running("sleeper") is not None

    processes.stop("sleeper")
    assert processes.running("sleeper") is None
    assert processes.names() == []


def test_a_link_to_an_older_build_is_replaced_and_nothing_else_is_left(tmp_path: Path):
    link = tmp_path / "bin" / "kubectl"
    for target in (tmp_path / "older", tmp_path / "newer"):
        _link(link, target)
        assert link.readlink() == target
    assert list(link.parent.iterdir()) == [link]


def test_help_names_every_command():
    shim = Path(__file__).resolve().parents[2] / "dev" / "cluster"
    usage = subprocess.run([shim, "--help"], capture_output=True, text=True).stdout

    for command in ("up", "prepare", "down", "reset", "status", "load", "kubeconfig", "env"):
        assert f"  {command} " in usage
