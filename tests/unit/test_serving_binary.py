"""V2's binary tensors: every datatype both ways, named outputs, and bytes that do not fit."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from pennant_serving.adapters.base import Further
from pennant_serving.codecs import binary, v2
from pennant_serving.codecs.datatypes import DTYPES
from pennant_serving.errors import InvalidInput
from pennant_testing.serving.app_builders import Echo, client

pytestmark = pytest.mark.unit

INFER = "/v2/models/iris/infer"


def head(raw: bytes, shape, datatype="FP32", name="x", **parameters):
    parameters = {"binary_data_size": len(raw)} | parameters
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}


def decode(*parts: bytes, heads, **rest) -> v2.InferRequest:
    text = json.dumps({"inputs": heads, **rest}).encode()
    return v2.decode(text + b"".join(parts), len(text))


def texts(*values: str) -> bytes:
    return b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in values)


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_datatype_of_numbers_is_read_and_written(datatype):
    raw = binary.write(datatype, np.array([[0, 1], [1, 0]]))
    assert len(raw) == 4 * DTYPES[datatype].itemsize
    rows = decode(raw, heads=[head(raw, [2, 2], datatype)]).rows
    assert rows.values.dtype == DTYPES[datatype]
    assert list(rows) == [[0, 1], [1, 0]]


def test_texts_are_read_and_written_with_their_lengths():
    raw = texts("a", "naïve", "")
    assert list(decode(raw, heads=[head(raw, [3], "BYTES")]).rows) == ["a", "naïve", ""]
    assert binary.write("BYTES", ["a", "naïve", b""]) == raw


def test_bytes_and_json_may_be_mixed_and_come_in_the_order_of_their_tensors():
    a, c = binary.write("FP64", [1.5, 2.5]), texts("x", "y")
    b = {"name": "b", "shape": [2], "datatype": "INT64", "data": [3, 4]}
    heads = [head(a, [2], "FP64", name="a"), b, head(c, [2, 1], "BYTES", name="c")]
    assert list(decode(a, c, heads=heads).rows) == [
        {"a": 1.5, "b": 3, "c": "x"},
        {"a": 2.5, "b": 4, "c": "y"},
    ]


def test_columns_of_one_type_stay_an_array():
    raw = binary.write("FP32", [1, 2])
    rows = decode(raw, raw, heads=[head(raw, [2], name=name) for name in "ab"]).rows
    assert (rows.columns, rows.values.tolist()) == (("a", "b"), [[1, 1], [2, 2]])


def test_bytes_that_are_no_text_are_sent_in_base64():
    request = {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["//8="]}]}
    request["inputs"][0]["parameters"] = {"content_type": "base64"}
    assert list(v2.decode(json.dumps(request).encode()).rows) == [b"\xff\xff"]


@pytest.mark.parametrize(
    ("raw", "described", "says"),
    [
        (b"1234", head(b"12345678", [2]), "4 bytes are left"),
        (b"1234", head(b"", [1]), "wants 1 values, data holds 0"),
        (b"12345", head(b"12345", [1]), "no whole number of FP32"),
        (b"12345678", head(b"1234", [1]), "4 bytes after the last tensor"),
        (b"\x01\0", head(b"\x01\0", [1], "BYTES"), "within an element's length"),
        (b"\x05\0\0\0a", head(b"12345", [1], "BYTES"), "end within an element"),
        (b"\x01\0\0\0\xff", head(b"12345", [1], "BYTES"), "not UTF-8: send it in base64"),
        (b"1234", head(b"1234", [1], "BF16"), "'BF16' is none of"),
    ],
)
def test_bytes_that_do_not_fit_their_tensor_say_so(raw, described, says):
    with pytest.raises(InvalidInput, match=says):
        decode(raw, heads=[described])


def test_a_number_outside_of_its_datatype_is_refused():
    tensor = {"name": "x", "shape": [2], "datatype": "UINT8", "data": [0, 256]}
    with pytest.raises(InvalidInput, match="256 is not UINT8"):
        v2.decode(json.dumps({"inputs": [tensor]}).encode())


class Classifier(Echo):
    """Knows how sure it is."""

    @property
    def further(self):
        return {
            "predict_proba": Further(lambda rows: np.full((len(rows), 2), 0.5), "FP64", (-1, 2)),
            "classes": Further(lambda _: np.array(["no", "yes"]), "BYTES", (2,)),
        }


def ask(*outputs, **parameters):
    tensor = {"name": "x", "shape": [1], "datatype": "BYTES", "data": ["U1"]}
    content = {"inputs": [tensor], "outputs": list(outputs), "parameters": parameters}
    return client(Classifier()).post(INFER, json=content)


def test_a_request_names_the_outputs_it_wants():
    assert [each["name"] for each in ask().json()["outputs"]] == ["predict"]
    wanted = [{"name": "classes"}, {"name": "predict"}, {"name": "predict_proba"}]
    classes, predict, proba = ask(*wanted).json()["outputs"]
    assert (predict["data"], proba["shape"], classes["data"]) == (["U1"], [1, 2], ["no", "yes"])
    answer = ask({"name": "transform"})
    assert (answer.status_code, "no output transform" in answer.text) == (400, True)


def test_outputs_come_as_bytes_when_the_request_says_so():
    for answer in (
        ask({"name": "predict_proba", "parameters": {"binary_data": True}}),
        ask({"name": "predict_proba"}, binary_data_output=True),
    ):
        length = int(answer.headers["inference-header-content-length"])
        (output,) = json.loads(answer.content[:length])["outputs"]
        assert output["parameters"] == {"binary_data_size": 16}
        assert np.frombuffer(answer.content[length:]).tolist() == [0.5, 0.5]
    in_json = {"name": "predict", "parameters": {"binary_data": False}}
    assert ask(in_json, binary_data_output=True).json()["outputs"][0]["data"] == ["U1"]


def test_further_outputs_are_in_the_metadata():
    answer = client(Classifier()).get("/v2/models/iris").json()
    assert answer["outputs"][0] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}
    assert client().get("/v2").json()["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize("header", ["x", "-1", "9999"])
def test_a_header_length_that_cannot_be_is_refused(header):
    headers = {"inference-header-content-length": header}
    assert client().post(INFER, content=b"{}", headers=headers).status_code == 400
