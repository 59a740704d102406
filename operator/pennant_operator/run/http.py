"""/healthz, /readyz and /metrics, on a port of their own."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


async def serve(
    host: str, port: int, *, ready: Callable[[], bool], metrics: Callable[[], bytes]
) -> web.AppRunner:
    """Start the server; `cleanup()` of what is returned ends it."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the first list of the cluster is not in yet\n")

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def exposition(*registries: CollectorRegistry) -> bytes:
    """The text of several registries, one after the other."""
    return b"".join(generate_latest(registry) for registry in registries)
