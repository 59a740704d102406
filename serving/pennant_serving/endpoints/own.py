"""The adapter's own routes, which exist once it has loaded."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import iscoroutinefunction
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from pennant_serving.batching.batcher import Batcher
from pennant_serving.errors import Unavailable


class AdapterRoutes:
    """An ASGI app that hands on to the adapter's routes."""

    def __init__(self) -> None:
        self._router: Router | None = None

    def open(self, routes: Sequence[BaseRoute], batcher: Batcher) -> None:
        """Serve these routes from now on, their plain functions in the model's threads."""
        self._router = Router([_aside(route, batcher) for route in routes])

    @property
    def paths(self) -> list[tuple[str, str]]:
        """Method and path of each route, for the documentation."""
        routes = self._router.routes if self._router else []
        return [
            (method, route.path)
            for route in routes
            if isinstance(route, Route)
            for method in sorted(route.methods or ())
            if method != "HEAD"
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._router is None:
            raise Unavailable("the model is still being loaded")
        await self._router(scope, receive, send)


def _aside(route: BaseRoute, batcher: Batcher) -> BaseRoute:
    """The same route, with its function under the same limits as `predict`."""
    if not isinstance(route, Route) or iscoroutinefunction(route.endpoint):
        return route
    function: Any = route.endpoint

    def attempt(request: Request) -> tuple[Any, Exception | None]:
        """Its own errors stay what they are: starlette's HTTPException is an answer."""
        try:
            return function(request), None
        except Exception as error:  # noqa: BLE001 - raised again above
            return None, error

    async def endpoint(request: Request) -> Response:
        response: Response
        response, raised = await batcher.aside(attempt, request)
        if raised is not None:
            raise raised
        return response

    methods = sorted(route.methods) if route.methods else None
    return Route(route.path, endpoint, methods=methods, name=route.name)
