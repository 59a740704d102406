"""An adapter of arrays that takes its time, with routes of its own that do, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from pennant_serving.adapters.base import ArraySpec
from pennant_testing.waiting import until

UNKNOWN_SECONDS = -1.0
"""What is noted in place of seconds that nobody knows yet."""


class WaitingAdapter:
    """A row is two numbers: seconds to take, and one to add to them."""

    array_spec = ArraySpec("float64", 2)
    input_example = ([0.0, 2.0],)

    def __init__(self, bundle: Path) -> None:
        self._begun = bundle.parent / "begun"

    @classmethod
    def load(cls, bundle: Path) -> Self:
        return cls(bundle)

    def to_array(self, rows: Any) -> Any:
        return np.asarray(rows.values, dtype="float64")

    def predict_array(self, array: Any) -> Any:
        self._take(max(array[:, 0]))
        return array.sum(axis=1)

    def predict(self, rows: Any) -> Any:
        return self.predict_array(self.to_array(rows))

    def routes(self) -> list[BaseRoute]:
        def wait(request: Request) -> Response:
            self._take(request.path_params["seconds"])
            return JSONResponse({"waited": True})

        def hold(request: Request) -> Response:
            self._note(UNKNOWN_SECONDS)
            until((self._begun.parent / request.path_params["name"]).exists)
            return JSONResponse({"held": True})

        async def sleep(request: Request) -> Response:
            self._note(request.path_params["seconds"])
            await asyncio.sleep(request.path_params["seconds"])
            return JSONResponse({"slept": True})

        async def read(request: Request) -> Response:
            return JSONResponse({"bytes": len(await request.body())})

        def large(request: Request) -> Response:
            return Response(b"x" * request.path_params["bytes"])

        def stream(request: Request) -> Response:
            def parts() -> Iterator[bytes]:
                for _ in range(request.path_params["bytes"] // 65536):
                    yield b"x" * 65536

            return StreamingResponse(parts())

        return [
            Route("/wait/{seconds:float}", wait),
            Route("/hold/{name}", hold),  # until there is a file of this name beside the bundle
            Route("/sleep/{seconds:float}", sleep),
            Route("/read", read, methods=["POST"]),
            Route("/large/{bytes:int}", large),
            Route("/stream/{bytes:int}", stream),
        ]

    def _take(self, seconds: float) -> None:
        self._note(seconds)
        time.sleep(seconds)

    def _note(self, seconds: float) -> None:
        with self._begun.open("a") as lines:
            lines.write(f"{seconds}\n")


def begun(folder: Path) -> list[float]:
    """The seconds that were begun to be taken, beside the bundle in this folder, in order."""
    path = folder / "begun"
    return [float(line) for line in path.read_text().split()] if path.exists() else []
