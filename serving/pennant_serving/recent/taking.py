"""What is remembered of a request that was answered, by either way through the server."""

from __future__ import annotations

import time
from typing import Any

from pennant_serving.batching.timing import Times
from pennant_serving.recent.sample import (
    BODY_LIMIT_BYTES,
    INFER,
    INFER_ROUTE,
    INVOCATIONS,
    INVOCATIONS_ROUTE,
    JSON,
    Sample,
)

ROUTES = {"v2": (INFER, INFER_ROUTE), "mlflow": (INVOCATIONS, INVOCATIONS_ROUTE)}
"""By a request's protocol, as metrics name it."""


def sample_of(
    protocol: str,
    body: bytes,
    answer: bytes,
    times: Times,
    whole_seconds: float,
    *,
    media: str = JSON,
    head_bytes: int = -1,
    answer_head_bytes: int = -1,
) -> Sample:
    """The sample of an answered request whose body is short enough. An answer that is not is left
    out: then only whether there is one is compared, and how soon."""
    kind, route = ROUTES[protocol]
    return Sample(
        protocol=kind,
        route=route,
        method="POST",
        target="",
        media=media,
        head_bytes=head_bytes,
        body=body,
        answer=answer if len(answer) <= BODY_LIMIT_BYTES else b"",
        answer_head_bytes=answer_head_bytes,
        rows=times.own_rows,
        at=time.time(),
        **timing(times, whole_seconds),
    )


def timing(times: Times, whole_seconds: float) -> dict[str, Any]:
    """How long a request took: the model's part, without the time in the line, where it was asked
    for predictions; else from its arrival to its answer."""
    if times.queue is None:
        return {"seconds": whole_seconds, "whole": True, "alone": True}
    alone = times.rows == times.own_rows
    return {"seconds": times.predict, "whole": False, "alone": alone}
