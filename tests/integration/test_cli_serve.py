"""`pennant serve` on this machine: an alias that moves under traffic, a version that does not load,
a registry that is away, a server that dies, and the end."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from pennant_cli.exit_codes import CommandError
from pennant_cli.serve.bundles import Bundles
from pennant_cli.serve.messages import reason_of
from pennant_cli.serve.order import Order
from pennant_cli.serve.run import run
from pennant_cli.serve.target import target
from pennant_registry.errors import DigestMismatchError
from pennant_serving.bundle.bundle import open_bundle
from pennant_testing.folders import SUPPORT
from pennant_testing.mlflow.folder_registry import FolderRegistry
from pennant_testing.serving.adapters import ECHO, MOODY
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.laptop import Laptop, asked, laptop
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

GOOD = {"every": 0, "seconds": 0.0}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FolderRegistry]:
    registry = FolderRegistry(tmp_path_factory.mktemp("registry"), "moods")
    registry.pointed = registry.register(mood=GOOD)
    with registry.answering():
        yield registry


@pytest.fixture(scope="module")
def following(registry: FolderRegistry, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("laptop")
    arguments = ("moods@production", "--follow", "--poll", "100ms", "--adapter", MOODY)
    with laptop(folder, *arguments, MLFLOW_TRACKING_URI=registry.url) as started:
        started.wait_for("serving at")
        yield started


def move(registry: FolderRegistry, following: Laptop, *, to: int | None = None) -> int:
    """The alias to a version, or a new one; its number once it serves."""
    number = to or registry.register(mood=GOOD)
    registry.pointed = number
    following.wait_for(f"version {number} serves")
    return number


class Clients:
    """Ask until they are to end, each as fast as it is answered."""

    def __init__(self, *ways: Callable[[Laptop], Generator[str, None, None]], of: Laptop) -> None:
        self.answers: list[list[str]] = [[] for _ in ways]
        self.errors: list[str] = []
        self._ends = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(way(of), answers))
            for way, answers in zip(ways, self.answers, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, versions: Generator[str, None, None], answers: list[str]) -> None:
        try:
            while not self._ends.is_set():
                answers.append(next(versions))
        except (OSError, AssertionError, http.client.HTTPException) as error:
            self.errors.append(repr(error))
        finally:
            versions.close()


def fresh(following: Laptop) -> Generator[str, None, None]:
    """Each request on a connection of its own."""
    while True:
        yield following.ask()


def pooled(following: Laptop) -> Generator[str, None, None]:
    """All on one, which is made anew where an answer has ended it."""
    with contextlib.closing(following.connect()) as connection:
        while True:
            yield asked(connection)


def test_an_alias_that_moves_under_traffic_loses_no_request(registry, following):
    before = following.ask()
    clients = Clients(fresh, pooled, fresh, pooled, of=following)
    try:
        until(lambda: all(len(each) > 50 for each in clients.answers) or clients.errors)
        after = str(move(registry, following))
        until(lambda: all(each[-50:] == [after] * 50 for each in clients.answers) or clients.errors)
    finally:
        clients.end()
    assert clients.errors == []
    for answers in clients.answers:
        assert set(answers) == {before, after}
    until(lambda: len(following.servers()) == 1)


def test_a_version_that_does_not_load_is_refused_once_and_what_served_goes_on(registry, following):
    good, broken = move(registry, following), registry.register()
    registry.pointed = broken
    line = following.wait_for(f"version {broken} refused: LoadFailed: ")
    assert "mood.json" in line
    assert line.endswith(f"; version {good} goes on")
    asked_before = registry.asked_for_alias
    until(lambda: registry.asked_for_alias > asked_before + 3)
    assert following.lines.count(f"version {broken}: loading") == 1
    assert following.ask() == str(good)
    move(registry, following)
    registry.pointed = broken
    following.wait_for(f"version {broken} refused", times=2)


def test_a_registry_that_is_away_changes_nothing_and_is_told_once(registry, following):
    good = move(registry, following)
    before = len(following.lines)
    registry.is_away = True
    following.wait_for("cannot be reached or does not answer as MLflow")
    assert following.ask() == str(good)
    registry.is_away = False
    following.wait_for("the registry answers again")
    away, back = following.lines[before:]
    assert away.endswith(f"; version {good} goes on")
    assert back == "the registry answers again"


def test_a_server_that_dies_is_started_again_and_who_asks_meanwhile_is_answered(
    registry, following
):
    good = move(registry, following)
    until(lambda: len(following.servers()) == 1)
    [server] = following.servers()
    os.kill(server, signal.SIGKILL)
    following.wait_for(f"version {good} ended with exit code -9: again in 1 s")
    assert following.ask() == str(good)


def test_one_version_is_served_until_ctrl_c_which_is_no_failure(registry, tmp_path: Path):
    number = registry.register(mood=GOOD)
    arguments = (f"moods/{number}", "--adapter", MOODY)
    with laptop(tmp_path, *arguments, MLFLOW_TRACKING_URI=registry.url) as started:
        assert started.wait_for("serving at").startswith(f"moods/{number}: serving at")
        assert started.ask() == str(number)
        assert (registry.folder / str(number) / "mood.json").exists()  # it was copied
        [server] = started.servers()
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait() == 0
    assert not Path(f"/proc/{server}").exists()
    assert started.errors.read_text() == ""
    assert list(tmp_path.glob("pennant-serve-*")) == []


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_bundle_of_one_file_is_verified_by_its_tag(
    registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_changed: bool
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.url)
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    number = registry.register_file("others" if is_changed else "bytes", sha256)
    bundles = Bundles(target(f"moods/{number}"), tmp_path)
    revision = bundles.desired()
    assert revision is not None
    if is_changed:
        with pytest.raises(DigestMismatchError) as raised:
            bundles.fetch(revision)
        assert reason_of(raised.value).startswith(f"DigestMismatch: version {number} of moods was")
        return
    path = bundles.fetch(revision).path
    assert (path / str(number)).read_text() == "bytes"
    assert open_bundle(path, "moods", str(number)).path == path


def test_what_can_never_serve_ends_with_the_reason(
    registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.url)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    number = registry.register()
    with pytest.raises(CommandError, match=f"^version {number} refused: LoadFailed: .*mood.json"):
        run(Order(target(f"moods/{number}"), "127.0.0.1", 0, MOODY, None))
    assert capsys.readouterr().out == f"version {number}: loading\n"


def test_it_ends_without_a_traceback_when_nobody_reads_what_it_prints(registry):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "pennant_cli", "serve", "moods@production", "--port", "0"]
    environment = os.environ | {"MLFLOW_TRACKING_URI": registry.url}
    process = subprocess.Popen(command, env=environment, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    errors = process.communicate()[1]
    assert (process.returncode, errors) == (1, b"")


def test_a_server_ends_with_who_gave_it_its_socket(tmp_path: Path):
    path = any_on_volume(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        variables = {"PENNANT_LISTENER_FD": str(listener.fileno()), "PENNANT_GRPC_PORT": "0"}
        named = {"PENNANT_MODEL_NAME": "iris", "PENNANT_MODEL_VERSION": "7"}
        found = {"PENNANT_MODEL_PATH": str(path), "PENNANT_ADAPTER": ECHO}
        server = subprocess.Popen(
            [sys.executable, "-m", "pennant_serving"],
            env=os.environ | variables | named | found | {"PYTHONPATH": str(SUPPORT)},
            stdin=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
        )
        with server:
            connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
            with contextlib.closing(connection):  # it waits until it is accepted
                connection.request("GET", "/v2/health/ready")
                assert connection.getresponse().status == 200
            assert server.stdin is not None
            server.stdin.close()  # as it is when its other end has died
            assert server.wait() == 0


def test_a_model_that_reads_standard_input_finds_nothing_as_in_a_pod():
    reads = (
        "import sys; from pennant_serving.process.starter import given; "
        "given(int(sys.argv[1])); print(repr(sys.stdin.readline()), flush=True); sys.stdin.close()"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = [sys.executable, "-c", f"{reads}; import signal; signal.pause()", str(number)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, pass_fds=(number,)) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            assert server.stdout.readline() == b"''\n"
            server.stdin.close()
            assert server.wait() == -signal.SIGTERM
