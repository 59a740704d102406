"""How the same rows are asked about in each server's own words. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.serving.workload import FEATURES, MODEL, columns

Rows = list[list[float]]


@dataclass(frozen=True)
class Protocol:
    """A path, what to post there, and where the predictions are in the answer."""

    path: str
    body: Callable[[Rows, str], Any]
    """Rows and an identity of the request to JSON."""
    predictions: Callable[[Any], Any]

    def request(self, rows: Rows, identity: str) -> bytes:
        """The body of a request."""
        return json.dumps(self.body(rows, identity), separators=(",", ":")).encode()

    def read(self, answer: bytes) -> list[int]:
        """The predictions in an answer; raises ValueError where it holds none."""
        try:
            labels = self.predictions(json.loads(answer))
            return [int(label) for label in labels]
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"no predictions in {answer[:200]!r}") from error


def _tensor(rows: Rows, identity: str) -> dict[str, Any]:
    data = [number for row in rows for number in row]
    shape = [len(rows), FEATURES]
    return {
        "id": identity,
        "inputs": [{"name": "inputs", "shape": shape, "datatype": "FP64", "data": data}],
    }


def _tensors(rows: Rows, identity: str) -> dict[str, Any]:
    """A tensor for each column, as MLServer turns them into a DataFrame."""
    return {
        "id": identity,
        "parameters": {"content_type": "pd"},
        "inputs": [
            {"name": name, "shape": [len(rows), 1], "datatype": "FP64", "data": list(data)}
            for name, data in zip(columns(), zip(*rows, strict=True), strict=True)
        ],
    }


def _split(rows: Rows, _identity: str) -> dict[str, Any]:
    return {"dataframe_split": {"columns": columns(), "data": rows}}


def _outputs(answer: Any) -> Any:
    return answer["outputs"][0]["data"]


V2 = Protocol(f"/v2/models/{MODEL}/infer", _tensor, _outputs)
V2_COLUMNS = Protocol(f"/v2/models/{MODEL}/infer", _tensors, _outputs)
INVOCATIONS = Protocol("/invocations", _split, lambda answer: answer["predictions"])
PLAIN = Protocol("/predict", lambda rows, _: {"rows": rows}, lambda answer: answer)
