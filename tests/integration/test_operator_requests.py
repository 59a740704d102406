"""What a request to the API server costs the operator itself, over a real connection."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from pennant_dev.ports import free_port
from pennant_operator.kube import Api, connect

pytestmark = pytest.mark.integration


def kubeconfig(folder: Path, server: str) -> Path:
    named = {"name": "here"}
    path = folder / "kubeconfig"
    text = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{**named, "cluster": {"server": server}}],
        "users": [{**named, "user": {"token": "a token"}}],
        "contexts": [{**named, "context": {"cluster": "here", "user": "here"}}],
    }
    path.write_text(yaml.safe_dump(text))
    return path


class Counting(ThreadPoolExecutor):
    """The event loop's threads, and how often one was asked for something."""

    asked = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return super().submit(*args, **kwargs)


def test_a_request_takes_no_thread_and_nobodys_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    port, authorizations = free_port(), list[str]()

    async def answer(request: web.Request) -> web.Response:
        authorizations.append(request.headers["Authorization"])
        return web.json_response({"metadata": {}})

    async def scenario() -> None:
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", answer)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        client = await connect(kubeconfig(tmp_path, f"http://127.0.0.1:{port}"))
        threads = Counting()
        asyncio.get_running_loop().set_default_executor(threads)
        for _ in range(3):
            await Api(client).get("Service", "team", "rec")
        await client.close()
        await runner.cleanup()
        assert threads.asked == 0
        assert authorizations == ["Bearer a token"] * 3

    asyncio.run(scenario())
