"""GET /recommend/{user}?k=10, for the example's own API and for the serving adapter alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from newsreco.bundle import Bundle, recommend

MAX_ARTICLES = 100  # in one answer


def recommend_route(bundle: Callable[[], Bundle]) -> Route:
    """The route over whatever `bundle` gives when a request comes."""

    def endpoint(request: Request) -> JSONResponse:  # not async: starlette runs it in a thread
        user, model = request.path_params["user"], bundle()
        try:
            k = wanted(request.query_params)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        items, marker = recommend(model, user, k), model["recommender"].marker
        return JSONResponse({"user": user, "items": items, "marker": marker})

    return Route("/recommend/{user}", endpoint, methods=["GET"])


def wanted(fields: Mapping[str, object]) -> int:
    """The field k, 10 when it is not there. Raises ValueError that names field, value and range."""
    given = fields.get("k", 10)
    try:
        k = int(str(given))
    except ValueError:
        k = 0
    if not 1 <= k <= MAX_ARTICLES:
        raise ValueError(f"k is {given}: give a whole number from 1 to {MAX_ARTICLES}")
    return k
