"""The input example that MLflow saved with a model."""

from __future__ import annotations

from pennant_serving.codecs import invocations
from pennant_serving.mlmodel import MLmodel
from pennant_serving.rows import Rows


def read(mlmodel: MLmodel) -> Rows | None:
    """The example, decoded as a request would be; None when the bundle has none."""
    return invocations.decode(mlmodel.example.read_bytes()) if mlmodel.example else None
