"""Any bytes get an answer, or a 4xx that names the problem: never a 500, never silence.

What was found once lies in tests/golden/serving_corpus, by what it is sent as, and is replayed.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pandas as pd  # noqa: F401 - not while an answer is awaited
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet as _parquet  # noqa: F401 - makes pyarrow.parquet

from pennant_serving.codecs.datatypes import NAMES
from pennant_serving.codecs.media import CSV, PARQUET
from pennant_serving.errors import InvalidInput, ServingError
from pennant_serving.grpc import codec
from pennant_serving.grpc.messages import ModelInferRequest
from pennant_serving.grpc.service import CODES
from pennant_serving.rows import Rows
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.app_builders import Echo, client

pytestmark = pytest.mark.unit

CORPUS = Path(__file__).parents[1] / "golden" / "serving_corpus"
INFER = "/v2/models/iris/infer"
HEADERS: dict[str, tuple[str, dict[str, str]]] = {
    "v2": (INFER, {}),
    "binary": (INFER, {"inference-header-content-length": "?"}),
    "invocations": ("/invocations", {"content-type": "application/json"}),
    "csv": ("/invocations", {"content-type": CSV}),
    "parquet": ("/invocations", {"content-type": PARQUET}),
    "gzip": ("/invocations", {"content-encoding": "gzip"}),
}
"""Path and headers by the kind of body."""
SECONDS = 20.0


class Numbers(Echo):
    """Takes what NumPy takes for numbers, and says how many there are."""

    def predict(self, rows: Rows) -> Any:
        try:
            array = np.asarray(rows.values, dtype="float64")
        except (TypeError, OverflowError) as error:
            raise InvalidInput(f"no numbers: {error}") from error
        return array.reshape(len(rows), -1).shape[1] * np.ones(len(rows))


HTTP = client(Numbers())


def post(kind: str, body: bytes) -> httpx.Response:
    path, headers = HEADERS[kind]
    if kind == "binary":
        length = str(body.find(b"\n") + 1)  # its JSON is the first line
        headers = headers | {"inference-header-content-length": length}

    async def answered() -> httpx.Response:
        async with asyncio.timeout(SECONDS):
            return await HTTP.request("POST", path, content=body, headers=headers)

    return asyncio.run(answered())


def problem(kind: str, body: bytes) -> str:
    """The status and what is said, in one line; fails when it is not an answer to live with."""
    answer = post(kind, body)
    content = answer.json()
    if answer.status_code == 200:
        return "200"
    message = content.get("message") or content.get("error")
    assert 400 <= answer.status_code < 500, content
    assert message, content
    assert len(message) < 2100
    return f"{answer.status_code} {message}"


def grpc_problem(raw: bytes) -> str:
    """The same of a message to ModelInfer."""
    try:
        rows = codec.decode(*codec.parse_infer(raw)).rows
        list(rows)
    except ServingError as error:
        code = CODES[error.status]
        assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
        return f"{code.name} {error}"
    return "OK"


def recorded() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(CORPUS.glob("*.*"))]


@pytest.mark.parametrize("path", recorded())
def test_recorded_bodies_get_the_answer_that_is_written_beside_them(path: Path) -> None:
    """NAME.KIND is a body; in answers.txt stands a line "NAME.KIND: what is said" for each."""
    kind, body = path.suffix[1:], path.read_bytes()
    if kind == "txt":
        names = {line.partition(": ")[0] for line in path.read_text().splitlines()}
        assert names == {each.name for each in CORPUS.glob("*.*") if each.suffix != ".txt"}
        return
    got = grpc_problem(body) if kind == "grpc" else problem(kind, body)
    assert re.fullmatch(expected(path.name), got), got


def expected(name: str) -> str:
    """What is to be said about a recorded body, with ... for what libraries say."""
    if name == "columns-nested.invocations" and sys.version_info >= (3, 12):
        return "200"  # from 3.12 on what Python does in C does not count as depth
    lines = (CORPUS / "answers.txt").read_text().splitlines()
    text = next(
        expected_text
        for line in lines
        for at, _, expected_text in [line.partition(": ")]
        if at == name
    )
    return ".*".join(map(re.escape, text.split("...")))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.floats(), st.text(max_size=4)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
NUMBER = st.integers(-3, 300) | st.floats(-9, 9)


def loosely(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with these fields, some of them missing, or of any other kind."""
    return st.fixed_dictionaries({}, optional={n: s | ANYTHING for n, s in fields.items()})


PARAMETERS = loosely(
    content_type=st.sampled_from(["pd", "base64"]),
    binary_data_size=st.integers(-1, 40),
    binary_data=st.booleans(),
    binary_data_output=st.booleans(),
)
TENSOR = loosely(
    name=st.sampled_from("xy"),
    shape=st.lists(st.integers(-1, 3), max_size=3),
    datatype=st.sampled_from(NAMES),
    data=st.lists(NUMBER | st.text(max_size=3), max_size=9) | st.lists(st.lists(NUMBER)),
    parameters=PARAMETERS,
)
V2 = loosely(
    inputs=st.lists(TENSOR, max_size=3),
    outputs=st.lists(loosely(name=st.just("predict"), parameters=PARAMETERS), max_size=2),
    id=st.text(max_size=3),
    parameters=PARAMETERS,
)
TABLE = st.lists(st.lists(NUMBER | SCALARS, max_size=3), max_size=3)
RECORDS = st.lists(st.dictionaries(st.sampled_from("ab"), NUMBER | ANYTHING), max_size=3)
INVOCATION = st.one_of(
    loosely(dataframe_split=loosely(columns=st.lists(st.sampled_from("ab")), data=TABLE)),
    loosely(dataframe_records=RECORDS),
    loosely(instances=TABLE | RECORDS),
    loosely(inputs=TABLE | st.dictionaries(st.sampled_from("ab"), st.lists(NUMBER))),
    loosely(instances=TABLE, params=ANYTHING),
)


def as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


def spoilt(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """The same, some of them cut off, or with bytes that do not belong there."""

    def spoil(body: bytes, place: int, junk: bytes) -> bytes:
        place %= len(body) + 1
        return body[:place] + junk + body[place + len(junk) :] if junk else body[:place]

    return bodies | st.builds(spoil, bodies, st.integers(0, 10**6), st.binary(max_size=4))


def generated(bodies: st.SearchStrategy[bytes]) -> Callable[[Any], Any]:
    def decorate(test: Any) -> Any:
        return examples(60)(given(spoilt(bodies) | st.binary(max_size=40))(test))

    return decorate


@generated(V2.map(as_json))
def test_any_json_of_v2(body):
    problem("v2", body)


@generated(st.builds(lambda head, raw: as_json(head) + b"\n" + raw, V2, st.binary(max_size=40)))
def test_any_binary_tensors_of_v2(body):
    problem("binary", body)


@generated(INVOCATION.map(as_json))
def test_any_json_of_invocations(body):
    problem("invocations", body)


@generated(
    st.lists(st.lists(SCALARS.map(str), max_size=3).map(",".join), max_size=4)
    .map("\n".join)
    .map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_csv(body):
    problem("csv", body)


def parquet(columns: dict[str, list[Any]]) -> bytes:
    file = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return bytes(file.getvalue())


@generated(
    st.dictionaries(st.sampled_from("ab"), st.lists(st.floats(), min_size=2, max_size=2)).map(
        parquet
    )
)
def test_any_parquet(body):
    problem("parquet", body)


GRPC_TENSOR = st.fixed_dictionaries(
    {
        "name": st.sampled_from("xy"),
        "datatype": st.sampled_from([*NAMES, "FP8", ""]),
        "shape": st.lists(st.integers(-2, 3), max_size=40),
    },
    optional={
        "contents": st.fixed_dictionaries(
            {},
            optional={
                "int_contents": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
                "fp64_contents": st.lists(st.floats(), max_size=4),
                "bytes_contents": st.lists(st.binary(max_size=4), max_size=4),
            },
        )
    },
)
GRPC = st.fixed_dictionaries(
    {"inputs": st.lists(GRPC_TENSOR, max_size=2)},
    optional={"raw_input_contents": st.lists(st.binary(max_size=16), max_size=2)},
)


@generated(GRPC.map(lambda content: ModelInferRequest(**content).SerializeToString()))
def test_any_message_of_grpc(raw):
    grpc_problem(raw)
