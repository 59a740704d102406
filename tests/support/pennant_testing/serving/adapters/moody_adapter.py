"""An adapter that fails as often, and takes as long, as its bundle says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class MoodyAdapter:
    """A row is a number. `mood.json` says which call fails (`every`: 3 is each third; 0 none) and
    how many seconds one takes; zeros, such as the input example, are always answered at once."""

    input_example = (0.0,)

    def __init__(self, every: int, seconds: float) -> None:
        self._every, self._seconds, self._calls = every, seconds, 0

    @classmethod
    def load(cls, bundle: Path) -> Self:
        mood = json.loads((bundle / "mood.json").read_text())
        return cls(mood["every"], mood["seconds"])

    def predict(self, rows: Any) -> list[float]:
        if any(rows):
            self._answer()
        return list(rows)

    def routes(self) -> list[Route]:
        def greet(request: Request) -> Response:
            self._answer()
            return JSONResponse({"user": request.path_params["user"]})

        return [Route("/greet/{user}", greet)]

    def _answer(self) -> None:
        self._calls += 1
        time.sleep(self._seconds)
        if self._every and self._calls % self._every == 0:
            raise RuntimeError("not in the mood")
