"""Large JSON read in pieces is what it is when it is read in one go, errors included."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from pennant_serving.codecs import pieces

pytestmark = pytest.mark.unit

NUMBERS = some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
ARRAYS = some.lists(NUMBERS | some.none() | some.booleans(), min_size=4)
ROWS = some.lists(some.lists(NUMBERS), min_size=3)
DEEPER = some.lists(some.lists(some.lists(NUMBERS)), min_size=2)
OTHERS = some.lists(some.text() | NUMBERS)
VALUES = ARRAYS | ROWS | DEEPER | OTHERS
BODIES = some.dictionaries(some.text(), VALUES | some.dictionaries(some.text(), VALUES)) | VALUES


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """So that small bodies are large."""
    monkeypatch.setattr(pieces, "LARGE_BYTES", 8)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 4)


def both_ways(body: bytes) -> None:
    try:
        expected = orjson.loads(body)
    except orjson.JSONDecodeError:
        with pytest.raises(orjson.JSONDecodeError):
            pieces.loads(body)
    else:
        assert json.dumps(pieces.loads(body)) == json.dumps(expected)


@given(BODIES, some.sampled_from([None, 1]))
def test_any_body(content, indent):
    both_ways(json.dumps(content, indent=indent).encode())


@given(BODIES, some.data())
def test_any_body_that_was_spoiled(content, data):
    body = bytearray(json.dumps(content).encode())
    place = data.draw(some.integers(0, len(body) - 1))
    body[place : place + data.draw(some.integers(0, 2))] = data.draw(
        some.sampled_from([b"", b",", b"]", b"[", b"],", b'"', b"}", b" ", b"1", b"NaN"])
    )
    both_ways(bytes(body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [1, 2, 3, 4, 5,]}',
        b'{"instances": [1, 2,, 3, 4, 5]}',
        b'{"instances": [[1, 2], [3, 4],]}',
        b'{"instances": [[1, 2], [3, 4]}',
        b'{"instances": [1, 2, 3, 4], [5, 6, 7, 8]}',
        b'{"instances": [[1], 2, [3], 4, [[5]], 6, [7]]}',
        b'{"instances": [                    ]}',
        b'{"a": [1, 2, 3, 4, 5, 6], "a": 7}',
        b'["x", [1, 2, 3], [4, 5, 6], "y"]',
        b"[[1, 2], [3, 4], [5, 6]]",
        b'{"a": "[1, 2, 3, 4, 5, 6]"}',
        b'{"[1, 2, 3, 4, 5, 6]": [1, 2, 3, 4, 5, 6]}',
    ],
)
def test_what_is_wrong_or_odd(body):
    both_ways(body)


def test_an_array_of_numbers_is_parsed_in_pieces(monkeypatch):
    sizes = []
    real = orjson.loads

    def loads(body):
        sizes.append(len(body))
        return real(body)

    monkeypatch.setattr(pieces.orjson, "loads", loads)
    rows = [[float(n), 1.5] for n in range(1000)]
    body = orjson.dumps({"dataframe_split": {"columns": ["a", "b"], "data": rows}})
    assert pieces.loads(body)["dataframe_split"] == {"columns": ["a", "b"], "data": rows}
    assert max(sizes) < 200 < len(sizes)
