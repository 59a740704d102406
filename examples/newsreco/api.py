"""The example's own API: `python -m newsreco.api`, or `uvicorn newsreco.api:app`.

The model is loaded when the application starts, not when this module is imported. The port opens
after that, so /health answers only when it is ready. On SIGTERM uvicorn closes idle connections and
finishes what runs. That is all that Pennant asks of a server of your own (docs/custom.md).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from newsreco import config, sources
from newsreco.bundle import Bundle
from newsreco.routes import recommend_route


def create_app() -> Starlette:
    """GET /recommend/{user}?k=10 and GET /health, over the first source that has a model."""
    loaded: dict[str, tuple[Bundle, str]] = {}

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        cfg, asks = config.Config.from_env(), config.use_registry()
        loaded["model"] = await run_in_threadpool(sources.load, cfg, use_registry=asks)
        yield

    def health(_: Request) -> JSONResponse:
        model, source = loaded["model"]
        articles = len(model["recommender"].articles)
        return JSONResponse({"status": "ok", "source": source, "articles": articles})

    routes = [recommend_route(lambda: loaded["model"][0]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=lifespan)


app = create_app()


def main() -> None:
    port = config.Config.from_env().port
    uvicorn.run(app, host="0.0.0.0", port=port)  # noqa: S104 -- a container's port is the way in


if __name__ == "__main__":
    main()
