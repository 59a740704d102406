"""An adapter whose own route stops the event loop."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class BlockingAdapter:
    """Answers rows as they are, but for `/block`, which no coroutine should be like."""

    input_example = (1.0,)

    @classmethod
    def load(cls, bundle: Path) -> Self:
        return cls()

    def predict(self, rows: Any) -> list[float]:
        return list(rows)

    def routes(self) -> list[Route]:
        async def block_for_ever(_request: Request) -> Response:
            while True:
                time.sleep(1)  # noqa: ASYNC251 - as asked

        return [Route("/block", block_for_ever)]
