"""What starlette's routes are, as a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from starlette.routing import BaseRoute, Host, Mount, Route

CONVERTOR = re.compile(r":\w+}")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""What an endpoint that is a class may have as functions, and OpenAPI knows."""


def walk(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[Route, str]]:
    """Each route with the template of its whole path."""
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(route.routes, prefix + route.path)
        elif isinstance(route, Host):
            yield from walk(route.routes, prefix)
        elif isinstance(route, Route):
            yield route, prefix + route.path


def listed(routes: Sequence[BaseRoute]) -> list[tuple[str, str]]:
    """Method and path of each route that is to be in the documentation."""
    return [
        (method, CONVERTOR.sub("}", path))
        for route, path in walk(routes)
        if route.include_in_schema
        for method in _methods(route)
    ]


def _methods(route: Route) -> list[str]:
    if route.methods is not None:
        return sorted(route.methods - {"HEAD"})
    return [each for each in METHODS if hasattr(route.endpoint, each.lower())] or ["GET"]
