"""/invocations in CSV and Parquet, read by pandas as MLflow reads them.

pandas is imported with the first such request: most pods never see one.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from pennant_serving.errors import InvalidInput, UnsupportedMediaType
from pennant_serving.mlmodel import MLmodel
from pennant_serving.rows import Rows

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
"""The media type that MLflow's scoring server takes."""
COLUMN_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "object",
}


def from_csv(body: bytes, mlmodel: MLmodel | None) -> Rows:
    """The rows below a header line, with the types of the signature. Raises InvalidInput."""
    import pandas as pd

    columns = mlmodel.columns if mlmodel else ()
    types = {each.name: COLUMN_TYPES[each.type] for each in columns if each.type in COLUMN_TYPES}
    return _rows("CSV", lambda: pd.read_csv(io.StringIO(body.decode()), dtype=types or None))


def from_parquet(body: bytes) -> Rows:
    """The rows of a file. Raises InvalidInput, or UnsupportedMediaType without pyarrow."""
    if find_spec("pyarrow") is None:
        raise UnsupportedMediaType(
            f"{PARQUET} needs pyarrow, which this image lacks: send JSON or CSV, or set"
            " serving.image to one that has it"
        )
    import pandas as pd

    return _rows("Parquet", lambda: pd.read_parquet(io.BytesIO(body)))


def _rows(form: str, read: Callable[[], Any]) -> Rows:
    try:
        table = read()
    except Exception as error:  # pandas and pyarrow raise what they like about a bad file
        raise InvalidInput(f"the body is no {form} of a table: {error}") from error
    if table.empty:
        raise InvalidInput(f"the {form} holds no rows")
    return Rows(table.astype(object).to_numpy().tolist(), tuple(map(str, table.columns)))
