"""Processes that start servers at the same time are given different ports for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pennant_dev import ports

pytestmark = pytest.mark.integration

MANY = ports.BLOCK + 50  # more than one block
OTHER = f"""
import sys
from pennant_dev.ports import free_port

print(*(free_port() for _ in range({MANY})), flush=True)
sys.stdin.read()
"""


def test_no_two_processes_are_given_the_same_port():
    dev = Path(ports.__file__).parents[1]
    others = [
        subprocess.Popen(
            [sys.executable, "-c", OTHER],
            env=os.environ | {"PYTHONPATH": str(dev)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    given = [line for other in others for line in other.stdout.readline().split()]
    given += [str(ports.free_port()) for _ in range(10)]
    for other in others:
        other.communicate(timeout=60)
    assert len(given) == 4 * MANY + 10
    assert len(set(given)) == len(given)


def test_a_port_that_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch):
    taken, free = ports.free_port(), ports.free_port()
    monkeypatch.setattr(ports, "_PORTS", iter([taken, free]))
    with socket.create_server(("127.0.0.1", taken)):
        assert ports.free_port() == free
