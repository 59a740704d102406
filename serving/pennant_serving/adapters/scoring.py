"""What MLflow's scoring server does before it asks a model: reading /invocations, and enforcing the
signature. By MLflow's own functions, so that a model sees what it would see there.

Two things are other on purpose: a value that would be lost without a word is refused, and rows
without names are taken by their place (docs/serving.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Self

from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.utils import _enforce_params_schema
from mlflow.utils.proto_json_utils import (
    cast_df_types_according_to_schema,
    dataframe_from_parsed_json,
)

from pennant_serving.adapters import frames, tables
from pennant_serving.adapters.older_mlflow import (
    convert_data_type,
    parse_parquet_input,
    scoring_server,
    validate_prediction_input,
)
from pennant_serving.codecs.frames import check_parquet, csv_text
from pennant_serving.codecs.invocations import FORMS, Invocation
from pennant_serving.codecs.media import CSV, PARQUET
from pennant_serving.codecs.size import check_json, check_table
from pennant_serving.errors import InvalidInput, Unfit, nested_too_deeply
from pennant_serving.rows import Prepared, Rows

BAD_REQUEST = ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")
TABLES = ("dataframe_split", "dataframe_records")
LLM_KEYS = ("messages", "prompt", "input")
"""By which MLflow knows a request to a chat model, of a completion, or of an embedding."""


for _name in ("mlflow.models.utils", "mlflow.pyfunc", "mlflow.pyfunc.scoring_server"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # or every odd request would fill the log


class Scoring:
    """MLflow's way with the requests of one model."""

    def __init__(self, described: Model) -> None:
        """`described` is what MLflow makes of an MLmodel file."""
        self._described = described
        self._schema = described.get_input_schema()
        self._params = described.get_params_schema()
        self._is_hinted = bool(
            getattr(described, "_is_signature_from_type_hint", bool)()
        )  # since 2.20
        self._is_tensor = self._schema is not None and self._schema.is_tensor_spec()
        self._names = self._schema.input_names() if self._has_names() else []

    @classmethod
    def of(cls, bundle: Path) -> Self:
        """That of the model in this folder."""
        return cls(Model.load(bundle / "MLmodel"))

    def read(self, form: str, body: bytes) -> Invocation[Prepared]:
        """A request to /invocations, not enforced yet. Raises InvalidInput, or TooLarge."""
        with as_invalid_input():
            if form == CSV:
                text = StringIO(csv_text(body))
                return Invocation(Prepared(scoring_server.parse_csv_input(text, self._schema)))
            if form == PARQUET:
                check_parquet(body)
                return Invocation(Prepared(parse_parquet_input(BytesIO(body))))
            check_json(body)
            return self._read_json(scoring_server._decode_json_input(body))

    def enforced(self, asked: Prepared, params: Any = None) -> Prepared:
        """What the model is given. Raises InvalidInput for what does not fit its signature."""
        schema = None if self._is_hinted else self._schema
        self.check_columns(asked.data)
        with as_invalid_input():
            data, _ = validate_prediction_input(asked.data, params, schema, self._params)
        return Prepared(data)

    def check_columns(self, data: Any) -> None:
        """Raises InvalidInput, in more words than MLflow has for it."""
        if not self._names or self._is_hinted:
            return
        given = getattr(data, "columns", data if isinstance(data, dict) else None)
        texts = [name for name in self._names if isinstance(name, str)]
        if given is not None:
            tables.check_columns(given, self._names, self._schema.required_input_names())
        elif len(texts) > 1 and not isinstance(data, list):
            takes = ", ".join(map(str, self._names))
            raise Unfit(f"rows have no names, but the model takes {takes}")

    def checked(self, params: Any) -> dict[str, Any] | None:
        """Those that were given, or none for a model that has none. Raises InvalidInput."""
        with as_invalid_input():
            known: dict[str, Any] | None = _enforce_params_schema(params, self._params)
        return None if params is None else known

    def prepare(self, rows: Rows) -> Prepared:
        """Rows that came by V2: with the types that were said there, and where the signature knows
        better with its own, as reading /invocations does it. Raises InvalidInput."""
        with as_invalid_input():
            if self._is_hinted:
                return Prepared([*rows])
            if self._schema is None:
                known = rows.columns is not None
                return Prepared(frames.frame(rows) if known else frames.array(rows))
            return Prepared(self._tensors(rows) if self._is_tensor else self._frame(rows))

    def _has_names(self) -> bool:
        return self._schema is not None and self._schema.has_input_names()

    def _read_json(self, content: dict[str, Any]) -> Invocation[Prepared]:
        given = {form: content[form] for form in FORMS if form in content}
        if not given and any(key in content for key in LLM_KEYS):
            raise InvalidInput(
                f"bodies with {', '.join(LLM_KEYS)} are for language models, which this server does"
                f" not support: send one of {', '.join(FORMS)}"
            )
        if self._is_hinted:
            data = scoring_server._parse_json_data(given, self._described, self._schema).data
        elif len(given) == 1 and self._is_table(*given.items()):
            data = self._table(*next(iter(given.items())))
        else:
            data = scoring_server.infer_and_parse_data(given, self._schema)
            data = frames.nothing_lost(
                next(iter(given.values())), data, nullable=not self._is_tensor
            )
        return Invocation(Prepared(data), self.checked(content.get("params")))

    def _is_table(self, given: tuple[str, Any]) -> bool:
        """A frame, or rows of a list each for named columns, whose names MLflow would miss."""
        form, content = given
        if form in TABLES:
            return True
        width = 0 if self._is_tensor else len(self._names)
        rows = content if isinstance(content, list) else []
        return width > 1 and bool(rows) and all(_is_row(each, width) for each in rows)

    def _table(self, form: str, content: Any) -> Any:
        if form not in TABLES:
            form, content = "dataframe_split", {"columns": self._names, "data": content}
        if form == "dataframe_records" and isinstance(content, list):
            names = {name for row in content if isinstance(row, dict) for name in row}
            check_table(len(content), len(names))
        return self._cast(dataframe_from_parsed_json(content, form.removeprefix("dataframe_")))

    def _cast(self, frame: Any) -> Any:
        """The frame with the signature's types. Raises InvalidInput where a value would be lost."""
        if self._schema is None:
            return frame
        cast = cast_df_types_according_to_schema(frame.copy(), self._schema)
        for name in cast.columns if cast.columns.is_unique else ():
            frames.check_nothing_lost(name, frame[name], cast[name])
        return cast

    def _frame(self, rows: Rows) -> Any:
        frame = frames.frame(rows)
        if not self._names:
            return self._cast(frame.set_axis(range(frame.shape[1]), axis=1))
        if rows.columns is None:
            frame = frames.by_place(frame, self._names)
        else:  # V2's names are texts
            frame = frame.rename(columns={str(name): name for name in self._names})
        return self._cast(frame)

    def _tensors(self, rows: Rows) -> Any:
        if rows.columns is None or not self._names:
            return convert_data_type(frames.array(rows), self._schema.inputs[0])
        specs = {spec.name: spec for spec in self._schema.inputs}
        arrays = frames.arrays(rows)
        return {name: convert_data_type(each, specs.get(name)) for name, each in arrays.items()}


def _is_row(content: Any, width: int) -> bool:
    if not isinstance(content, list) or len(content) != width:
        return False
    return not any(isinstance(cell, (list, dict)) for cell in content)


@contextmanager
def as_invalid_input() -> Iterator[None]:
    """What MLflow says against a request. Raises InvalidInput in its place."""
    try:
        yield
    except MlflowException as error:
        if error.error_code not in BAD_REQUEST:
            raise
        # About a signature it repeats all of the data before it comes to the point.
        message = str(error.message)
        if message.startswith("Failed to enforce schema"):
            message = message.rpartition("'. Error: ")[2]
        raise InvalidInput(message) from error
    except RecursionError:
        raise nested_too_deeply() from None
