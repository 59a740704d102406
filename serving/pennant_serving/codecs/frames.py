"""/invocations in CSV and Parquet, read by pandas as MLflow reads them.

pandas is imported with the first such request: most pods never see one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from typing import Any

from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs.media import PARQUET
from pennant_serving.codecs.size import check_table, check_unpacked, check_values
from pennant_serving.errors import InvalidInput, UnsupportedMediaType
from pennant_serving.rows import Rows

COLUMN_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "object",
}


def from_csv(body: bytes, mlmodel: MLmodel | None) -> Rows:
    """The rows below a header line, with the types of the signature. Raises InvalidInput, or
    TooLarge."""
    import pandas as pd

    text = csv_text(body)
    columns = mlmodel.columns if mlmodel else ()
    types = {each.name: COLUMN_TYPES[each.type] for each in columns if each.type in COLUMN_TYPES}
    return _rows("CSV", lambda: pd.read_csv(io.StringIO(text), dtype=types or None))


def from_parquet(body: bytes) -> Rows:
    """The rows of a file. Raises as `check_parquet` does."""
    check_parquet(body)
    return _rows("Parquet", lambda: _read_parquet(body))


def csv_text(body: bytes) -> str:
    """The text of a CSV that is not too large a table. Raises InvalidInput, or TooLarge."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: {error}") from error
    check_values(text.count(","))
    check_table(1 + text.count("\n") + text.count("\r"), _width(text))
    return text


def check_parquet(body: bytes) -> None:
    """Raises InvalidInput, TooLarge, and UnsupportedMediaType without pyarrow."""
    if find_spec("pyarrow") is None:
        raise UnsupportedMediaType(
            f"{PARQUET} needs pyarrow, which this image lacks: send JSON or CSV, or set"
            " serving.image to one that has it"
        )
    from pyarrow import parquet

    try:
        facts = parquet.ParquetFile(io.BytesIO(body)).metadata
    except Exception as error:  # it raises what it likes about a bad file
        raise InvalidInput(f"the body is no Parquet of a table: {error}") from error
    check_table(facts.num_rows, facts.num_columns)
    groups = map(facts.row_group, range(facts.num_row_groups))
    check_unpacked(sum(group.total_byte_size for group in groups))


def _read_parquet(body: bytes) -> Any:
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(body), use_threads=False).to_pandas()


def _width(text: str) -> int:
    """Columns of the table that pandas will make: of the header, or of the first row if that has
    more. Shorter rows are filled up."""
    try:
        lines = csv.reader(io.StringIO(text, newline=""))
        filled = (line for line in lines if len(line) > 1 or "".join(line).strip())
        return max(map(len, islice(filled, 2)), default=0)
    except csv.Error as error:
        raise InvalidInput(f"the body is no CSV: {error}") from error


def _rows(form: str, read: Callable[[], Any]) -> Rows:
    try:
        table = read()
    except MemoryError:
        raise
    except Exception as error:  # pandas raises what it likes about a bad file
        raise InvalidInput(f"the body is no {form} of a table: {error}") from error
    if table.empty:
        raise InvalidInput(f"the {form} holds no rows")
    return Rows(table.astype(object).to_numpy().tolist(), tuple(map(str, table.columns)))
