"""The input example that MLflow saved with a model: a body for /invocations."""

from __future__ import annotations

from collections.abc import Callable

from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.codecs.media import JSON
from pennant_serving.rows import Prepared


def read(mlmodel: MLmodel, reads: Callable[[str, bytes], Invocation[Prepared]]) -> Prepared | None:
    """The example, read as a request would be; None when the bundle has none."""
    return reads(JSON, mlmodel.example.read_bytes()).rows if mlmodel.example else None
