"""/healthz, /readyz and /metrics."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from pennant_operator.run.http.listening import listen


async def serve(
    host: str, port: int, *, ready: Callable[[], bool], metrics: CollectorRegistry
) -> web.AppRunner:
    """A running server; `cleanup()` of what is returned ends it."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")  # a loop that answers is alive; a dead task ends it all

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the first list of ModelDeployments is not in yet\n")

    async def show(_: web.Request) -> web.Response:
        body = generate_latest(metrics)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show)]
    )
    return await listen(app, host, port)
