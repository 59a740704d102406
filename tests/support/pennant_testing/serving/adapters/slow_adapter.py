"""An adapter whose predictions, and loading, take as long as they are told to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class SlowAdapter:
    """A row is a number of seconds to take. A file named `load-seconds` says how long to load."""

    input_example = (0.0,)

    def __init__(self, bundle: Path) -> None:
        self._begun = _begun(bundle)

    @classmethod
    def load(cls, bundle: Path) -> Self:
        seconds = bundle / "load-seconds"
        time.sleep(float(seconds.read_text()) if seconds.exists() else 0)
        return cls(bundle)

    def predict(self, rows: Any) -> list[float]:
        for seconds in rows:
            with self._begun.open("a") as lines:
                lines.write(f"{seconds}\n")
            time.sleep(seconds)
        return list(rows)

    def routes(self) -> list[Route]:
        def greet(request: Request) -> Response:
            return JSONResponse({"user": request.path_params["user"]})

        return [Route("/greet/{user}", greet)]


class OwnSlowAdapter(SlowAdapter):
    """Loaded by each worker for itself."""

    survives_fork = False


def computes(bundle: Path, seconds: float) -> bool:
    """Whether a row of so many seconds was begun, by the adapter of this bundle."""
    begun = _begun(bundle)
    return begun.exists() and seconds in map(float, begun.read_text().split())


def _begun(bundle: Path) -> Path:
    """A file beside it, with a line for each row."""
    return bundle.parent / "begun"
