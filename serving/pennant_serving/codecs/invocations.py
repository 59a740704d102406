"""MLflow's scoring protocol: the JSON forms of /invocations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pennant_serving.codecs.jsonio import dump, load_object
from pennant_serving.codecs.size import check_table
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Prepared, Rows, Table

SPLIT = ("columns", "index", "data")
"""What a frame in two parts may hold."""
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


Asked_co = TypeVar("Asked_co", bound=Rows | Prepared, covariant=True)


@dataclass(frozen=True)
class Invocation(Generic[Asked_co]):
    """What a client asked."""

    rows: Asked_co
    params: Mapping[str, Any] | None = None


def parse(body: bytes) -> Invocation[Rows]:
    """A request in JSON for those who take rows; what else it holds is ignored, as MLflow does.
    Raises InvalidInput."""
    content = load_object(body)
    forms = [form for form in FORMS if form in content]
    if len(forms) != 1:
        raise InvalidInput(f"the body must hold exactly one of {', '.join(FORMS)}, not {forms}")
    params = content.get("params")
    if params is not None and not isinstance(params, dict):
        raise InvalidInput("params must be an object of names and values")
    rows = _DECODERS[forms[0]](content[forms[0]])
    if not len(rows):
        raise InvalidInput(f"{forms[0]} holds no rows")
    return Invocation(rows, params)


def encode(result: Any) -> bytes:
    """The body of a response. Raises PredictFailed for predictions that have no JSON."""
    if isinstance(result, Table):
        result = result.records()
    elif hasattr(result, "to_frame"):  # a Series is a frame of one column, as MLflow writes it
        result = result.to_frame().to_dict(orient="records")
    elif hasattr(result, "columns") and hasattr(result, "to_dict"):
        result = result.to_dict(orient="records")
    return dump({"predictions": result})


def _split(content: Any) -> Rows:
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise InvalidInput("dataframe_split must be an object with columns and data")
    data, columns = content["data"], content.get("columns")
    if unknown := [name for name in content if name not in SPLIT]:
        raise InvalidInput(f"dataframe_split holds {unknown[0]!r}, which is none of its parts")
    if columns is not None and not isinstance(columns, list):
        raise InvalidInput("dataframe_split.columns must be a list of names")
    if columns is not None and len(set(map(str, columns))) < len(columns):
        raise InvalidInput("dataframe_split.columns names a column twice")
    index = content.get("index")
    if index is not None and not (isinstance(index, list) and len(index) == len(data)):
        raise InvalidInput("dataframe_split.index must have one entry for each row")
    width = None if columns is None else len(columns)
    for row in data:
        if not isinstance(row, list) or (width is not None and len(row) != width):
            raise InvalidInput(f"each row of dataframe_split.data must be a list of {width} values")
    return Rows(data, None if columns is None else tuple(map(str, columns)))


def _records(content: Any) -> Rows:
    """What a record leaves out is null, as in MLflow's frames."""
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise InvalidInput("dataframe_records must be a list of objects")
    columns = tuple(dict.fromkeys(column for row in content for column in row))
    check_table(len(content), len(columns))
    return Rows([[row.get(column) for column in columns] for row in content], columns)


def _objects(content: list[dict[str, Any]]) -> Rows:
    columns = tuple(content[0])
    for row in content:
        if row.keys() != set(columns):
            raise InvalidInput(f"each of instances must have the same keys: {', '.join(columns)}")
    return Rows([[row[column] for column in columns] for row in content], columns)


def _instances(content: Any) -> Rows:
    if not isinstance(content, list):
        raise InvalidInput("instances must be a list")
    if content and all(isinstance(row, dict) for row in content):
        return _objects(content)
    return Rows(content)


def _inputs(content: Any) -> Rows:
    """A list of rows, one list for each named input, or what makes one row."""
    if isinstance(content, list):
        return _instances(content)
    if not isinstance(content, dict):
        return Rows([content])
    if content and not any(isinstance(values, list) for values in content.values()):
        return Rows([list(content.values())], tuple(content))
    lengths = {len(values) if isinstance(values, list) else None for values in content.values()}
    if len(lengths) != 1 or None in lengths:
        raise InvalidInput("inputs must be a list, or an object of lists of the same length")
    return Rows([list(row) for row in zip(*content.values(), strict=True)], tuple(content))


_DECODERS = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}
