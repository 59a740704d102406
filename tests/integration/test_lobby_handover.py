"""Clients with connections of their own through a whole hand-over: the old version, a lobby in
front of it, nobody at all, the new version, and no lobby any more. Nobody sees a failure."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import grpc
import pytest
import requests
from tritonclient.grpc import service_pb2, service_pb2_grpc

from pennant_dev.ports import free_port
from pennant_testing.serving.adapters import ECHO
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.lobby_process import Service, lobby
from pennant_testing.serving.serving_process import JSON, Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 120
BODY = {"instances": [1.0]}
VERSION = "x-pennant-version"
Ask = Callable[[], tuple[int, str]]


class Hall:
    """What clients see: Services by HTTP and gRPC, and whoever answered."""

    def __init__(self) -> None:
        self.http, self.grpc = Service(), Service()
        self.over = threading.Event()
        self.answers: dict[str, list[tuple[int, str]]] = {}

    def lead(self, port: int | None, grpc_port: int | None) -> None:
        self.http.lead(port)
        self.grpc.lead(grpc_port)

    def ask(self, name: str, ask: Ask) -> None:
        """Without end."""
        seen = self.answers[name]
        while not self.over.wait(PAUSE_SECONDS):
            seen.append(ask())

    def heard(self, *, more: int = 5) -> None:
        """Wait until each client has had so many more answers."""
        before = {name: len(seen) for name, seen in self.answers.items()}
        until(lambda: all(len(self.answers[n]) >= count + more for n, count in before.items()))


def by_http_client(hall: Hall) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hall.http.port, timeout=PATIENCE_SECONDS)

    def ask() -> tuple[int, str]:
        connection.request("POST", "/invocations", json.dumps(BODY), JSON)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers[VERSION]

    with contextlib.closing(connection):
        hall.ask("http.client", ask)


def by_requests(hall: Hall) -> None:
    url = f"http://127.0.0.1:{hall.http.port}/invocations"
    with requests.Session() as session:

        def ask() -> tuple[int, str]:
            answer = session.post(url, json=BODY, timeout=PATIENCE_SECONDS)
            return answer.status_code, answer.headers[VERSION]

        hall.ask("requests", ask)


def by_aiohttp(hall: Hall) -> None:
    url = f"http://127.0.0.1:{hall.http.port}/invocations"

    async def ask_on() -> None:
        async with aiohttp.ClientSession() as session:
            while not hall.over.is_set():
                async with session.post(url, json=BODY) as answer:
                    await answer.read()
                    hall.answers["aiohttp"].append((answer.status, answer.headers[VERSION]))
                await asyncio.sleep(PAUSE_SECONDS)

    asyncio.run(ask_on())


def by_grpc(hall: Hall) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{hall.grpc.port}") as channel:
        infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        request = service_pb2.ModelInferRequest(model_name="iris")
        contents = service_pb2.InferTensorContents(fp64_contents=[1.0])
        request.inputs.add(name="x", datatype="FP64", shape=[1], contents=contents)

        def ask() -> tuple[int, str]:
            _, call = infer.with_call(request, timeout=PATIENCE_SECONDS)
            return 200, dict(call.initial_metadata())[VERSION]

        hall.ask("grpc", ask)


CLIENTS = {
    "http.client": by_http_client,
    "requests": by_requests,
    "aiohttp": by_aiohttp,
    "grpc": by_grpc,
}


@contextlib.contextmanager
def asked(hall: Hall) -> Iterator[None]:
    """By everybody, until the block is left. Raises what a client raises."""
    hall.answers = {name: [] for name in CLIENTS}
    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        asking = [threads.submit(client, hall) for client in CLIENTS.values()]
        try:
            yield
        finally:
            hall.over.set()
            for each in asking:
                each.result()


@contextlib.contextmanager
def pod(folder: Path, version: str, grpc_port: int) -> Iterator[Serving]:
    bundle = folder / version / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "any").write_text(version)
    on_volume(bundle, version=version)
    more = {"PENNANT_MODEL_VERSION": version, "PENNANT_DRAIN_SECONDS": "8"}
    ports = {"PENNANT_GRPC_PORT": str(grpc_port)}
    with serving(bundle.parent, bundle, PENNANT_ADAPTER=ECHO, **more, **ports) as started:
        started.wait_until("/v2/health/ready")
        yield started


def test_nobody_sees_a_failure_while_the_only_place_is_handed_over(tmp_path: Path):
    hall, ready = Hall(), Hall()
    old_grpc, new_grpc = free_port(), free_port()
    to = {"PENNANT_LOBBY_MAX_WAIT": "120", "PENNANT_DRAIN_SECONDS": "12"}
    with contextlib.ExitStack() as processes:
        old = processes.enter_context(pod(tmp_path, "7", old_grpc))
        for each in (hall, ready):
            each.lead(old.port, old_grpc)
        with asked(hall):
            hall.heard()
            there = processes.enter_context(lobby(tmp_path, ready.http.port, ready.grpc.port, **to))
            hall.lead(there.port, there.grpc_port)
            until(lambda: there.ended("answered") >= 5 and there.ended("answered", "grpc") >= 1)
            ready.lead(None, None)
            old.process.send_signal(signal.SIGTERM)
            until(lambda: there.waiting() == len(CLIENTS))
            assert old.process.wait(timeout=60) == 0
            new = processes.enter_context(pod(tmp_path, "8", new_grpc))
            ready.lead(new.port, new_grpc)
            hall.heard()
            hall.lead(new.port, new_grpc)
            there.process.send_signal(signal.SIGTERM)
            assert there.process.wait(timeout=60) == 0
            hall.heard()
    hall.lead(None, None)
    ready.lead(None, None)
    for name, answers in hall.answers.items():
        assert {status for status, _ in answers} == {200}, name
        versions = [version for _, version in answers]
        assert versions == sorted(versions), name
        assert {*versions} == {"7", "8"}, name
