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

    @classmethod
    def load(cls, bundle: Path) -> Self:
        seconds = bundle / "load-seconds"
        time.sleep(float(seconds.read_text()) if seconds.exists() else 0)
        return cls()

    def predict(self, rows: Any) -> list[float]:
        for seconds in rows:
            time.sleep(seconds)
        return list(rows)

    def routes(self) -> list[Route]:
        def greet(request: Request) -> Response:
            return JSONResponse({"user": request.path_params["user"]})

        return [Route("/greet/{user}", greet)]
