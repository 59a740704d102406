"""The first process of several: whom it starts and whom it ends."""

from __future__ import annotations

import signal
import socket

import pytest

from pennant_serving.process import supervisor as supervising
from pennant_serving.process.supervisor import Supervisor

pytestmark = pytest.mark.unit


def wait_for_ever(_place) -> int:
    while True:
        signal.pause()


@pytest.fixture
def supervisor(tmp_path):
    with socket.socket() as listener:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        yield Supervisor(3, listener, tmp_path, silence_seconds=30)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.parametrize("number", [2, 3])
def test_a_worker_that_starts_while_all_are_told_to_end_is_told_too(
    supervisor, monkeypatch, number
):
    started, fork = [], supervising.fork

    def terminated_meanwhile(work):
        started.append(fork(work))
        if len(started) == number:
            supervisor.terminate()
        return started[-1]

    monkeypatch.setattr(supervising, "fork", terminated_meanwhile)
    supervisor.start(wait_for_ever)
    assert len(started) == number  # and none after that
    supervisor.run()  # until all have ended


def test_a_worker_ends_by_sigterm_in_the_middle_of_anything(supervisor):
    def load(_place) -> int:
        try:
            signal.pause()
        except BaseException:  # noqa: BLE001 - as a library may
            signal.pause()
        return 0

    supervisor.start(load)
    supervisor.terminate()
    supervisor.run()
