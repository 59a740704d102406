"""ONNX models by onnxruntime, without MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_serving.adapters import exact, onnx_session, tables
from pennant_serving.adapters.base import ArraySpec
from pennant_serving.adapters.flavors import native_flavor
from pennant_serving.adapters.reading import ReadingAdapter
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.bundle.takes import Takes
from pennant_serving.codecs import invocations
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.errors import InvalidInput, Unfit
from pennant_serving.rows import Prepared, Rows, Table


class OnnxAdapter(ReadingAdapter):
    """Answers with the model's outputs by name.

    As MLflow does: columns are answered with a table, of one value for each row and output;
    tensors with tensors.
    """

    joins = False
    joins_because = "an ONNX graph may mix rows"
    steady = True
    answers_arrays = True

    def __init__(self, mlmodel: MLmodel, session: Any) -> None:
        """`session` is an onnxruntime.InferenceSession."""
        self._mlmodel = mlmodel
        self._session = session
        self._inputs = onnx_session.inputs_of(session)
        self._outputs = [each.name for each in session.get_outputs()]
        self.never_joins = not onnx_session.has_free_rows(session)
        if self.never_joins:
            self.joins_because = "the graph takes a fixed number of rows"
        self._dtype = tables.dtype_of(mlmodel)
        self._columns = exact.SignatureColumns(mlmodel.columns, str(self._inputs[0].dtype))
        self.array_spec = self._spec()

    @classmethod
    def load(cls, bundle: Path, threads: int) -> Self:
        """Raises ValueError for a bundle of another kind, or what onnxruntime raises."""
        mlmodel, flavor = native_flavor(bundle, "onnx")
        session = onnx_session.start(mlmodel.folder / flavor["data"], flavor, threads)
        return cls(mlmodel, session)

    @property
    def takes(self) -> Takes:
        """For those who explain why rows do not fit: the graph knows its inputs, too."""
        if self._mlmodel.columns or self._mlmodel.tensors:
            return Takes.of(self._mlmodel)
        kinds = tuple(str(each.dtype) for each in self._inputs)
        names = tuple(each.name for each in self._inputs)
        if len(names) > 1:
            return Takes(names, kinds, frozenset(names), are_tensors=True)
        return Takes.of(self._mlmodel, width=self._inputs[0].width)

    def read_plain(self, body: bytes) -> Invocation[Prepared]:
        """Raises InvalidInput for what is not one matrix that fits."""
        if self.array_spec is None:
            raise InvalidInput("this model takes more than one matrix")
        asked = invocations.parse(body)
        is_unnamed = asked.rows.columns is not None and not self._mlmodel.names
        if (asked.params and self._mlmodel.params) or is_unnamed:
            raise InvalidInput("MLflow knows what to make of params, and of names")
        return Invocation(Prepared(self._columns.checked(self.to_array(asked.rows))))

    def predict(self, asked: Rows | Prepared) -> dict[str, Any]:
        """Raises InvalidInput for rows that do not fit."""
        if isinstance(asked, Prepared):
            return self._predict_prepared(asked.data)
        return self._predict_rows(asked)

    def _predict_prepared(self, data: Any) -> dict[str, Any]:
        """As MLflow's wrapper takes it: a frame, arrays by name, or an array."""
        if hasattr(data, "iloc"):
            rows = Rows(data.to_numpy(dtype=object).tolist(), tuple(map(str, data.columns)))
            return self._predict_rows(rows)
        if not isinstance(data, dict):
            data = {self._inputs[0].name: data}
        if missing := [each.name for each in self._inputs if each.name not in data]:
            raise Unfit(f"missing inputs: {', '.join(missing)}")
        feeds = {each.name: each.cast(np.asarray(data[each.name])) for each in self._inputs}
        return self._run(feeds, as_table=bool(self._mlmodel.columns))

    def _predict_rows(self, rows: Rows) -> dict[str, Any]:
        if self._mlmodel.names:
            required = frozenset(c.name for c in self._mlmodel.columns if c.name and c.required)
            rows = tables.ordered(rows, self._mlmodel.names, required=required)
        signed = bool(self._mlmodel.columns or self._mlmodel.tensors)
        as_table = bool(self._mlmodel.columns) or (rows.columns is not None and not signed)
        return self._run(self._feeds(rows), as_table=as_table)

    def predict_array(self, array: Any) -> dict[str, Any]:
        """Raises InvalidInput for an array that does not fit."""
        feeds = {self._inputs[0].name: self._columns.checked(array)}
        return self._run(feeds, as_table=bool(self._mlmodel.columns))

    def to_array(self, rows: Rows) -> Any:
        """The one input, as the array that the model takes. Raises InvalidInput."""
        if self._mlmodel.names:
            names = self._mlmodel.names
            rows = tables.ordered(rows, names, required=frozenset(names))
        array = self._inputs[0].array(rows.values, self._dtype)
        if array.ndim != 2 or self.array_spec is None or array.shape[1] != self.array_spec.width:
            raise Unfit(f"rows are of shape {array.shape[1:]}, not what the model takes")
        return array

    def prepare(self, rows: Rows) -> Rows | Prepared:
        """Rows that came by V2. Raises InvalidInput for those that do not fit."""
        return rows if self.array_spec is None else Prepared(self.to_array(rows))

    def _spec(self) -> ArraySpec | None:
        """Of a model that takes one matrix of floats, and nothing else."""
        first = self._inputs[0]
        signed = bool(self._mlmodel.columns or self._mlmodel.tensors)
        if len(self._inputs) > 1 or first.width is None or first.dtype.kind != "f" or not signed:
            return None
        if np.dtype(self._dtype).kind != "f":  # whole numbers, which must be read as such
            return None
        if any(each.get("name") for each in self._mlmodel.tensors):
            return None
        names = self._mlmodel.names
        return ArraySpec(
            str(first.dtype), first.width, names, fits=self._columns.fits, names_its_answers=True
        )

    def _feeds(self, rows: Rows) -> dict[str, Any]:
        """The inputs by name, as MLflow's wrapper makes them."""
        if len(self._inputs) > 1 or self._is_named(rows):
            if rows.columns is None:
                names = ", ".join(each.name for each in self._inputs)
                raise Unfit(f"the model takes several inputs, by name: {names}")
            given = tables.named_arrays(rows, self._mlmodel.tensors)
            if missing := [each.name for each in self._inputs if each.name not in given]:
                raise Unfit(f"missing inputs: {', '.join(missing)}")
            return {each.name: each.cast(given[each.name]) for each in self._inputs}
        first = self._inputs[0]
        return {first.name: self._columns.checked(first.array(rows.values, self._dtype))}

    def _is_named(self, rows: Rows) -> bool:
        """Rows of one tensor, by its name."""
        named = any(each.get("name") for each in self._mlmodel.tensors)
        return named and rows.columns == (self._inputs[0].name,)

    def _run(self, feeds: dict[str, Any], *, as_table: bool) -> dict[str, Any]:
        values = onnx_session.run(self._session, self._outputs, feeds)
        outputs = dict(zip(self._outputs, values, strict=True))
        if not as_table:
            return outputs
        flat = Table((name, np.asarray(value).reshape(-1)) for name, value in outputs.items())
        return flat if len({len(value) for value in flat.values()}) == 1 else outputs
