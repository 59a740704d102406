"""gRPC's messages: every datatype as contents and as raw bytes, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from pennant_serving.codecs import binary
from pennant_serving.codecs.datatypes import DTYPES
from pennant_serving.errors import InvalidInput, TooLarge
from pennant_serving.grpc import codec
from pennant_serving.grpc.fields import FIELD_LIMIT, LARGE_MESSAGE_BYTES, taken_out
from pennant_serving.grpc.messages import ModelInferRequest, message

pytestmark = pytest.mark.unit


def request(datatype="FP32", shape=(2,), raw=None, outputs=(), **contents):
    made = ModelInferRequest(model_name="iris", id="42")
    made.inputs.add(name="x", datatype=datatype, shape=shape, contents=contents)
    if raw is not None:
        made.raw_input_contents.append(raw)
    for name in outputs:
        made.outputs.add(name=name)
    return made


def decode(asked):
    return codec.decode(*codec.parse_infer(asked.SerializeToString()))


def fields(raw):
    return taken_out(raw, codec.RAW_CONTENTS)


def answer(result, asked):
    return codec.encode(result, decode(asked), "iris", "7")


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name in codec.CONTENTS])
def test_every_datatype_has_its_contents_both_ways(datatype):
    field = codec.CONTENTS[datatype]
    asked = request(datatype, (2, 1), **{field: [0, 1]})
    rows = decode(asked).rows
    assert (rows.values.dtype, list(rows)) == (DTYPES[datatype], [[0], [1]])
    response = answer(rows.values.ravel(), asked)
    assert list(getattr(response.outputs[0].contents, field)) == [0, 1]
    assert (response.id, response.model_version) == ("42", "7")


def test_texts_have_their_contents_both_ways():
    asked = request("BYTES", bytes_contents=[b"a", "ü".encode()])
    assert list(decode(asked).rows) == ["a", "ü"]
    assert list(answer(["ü"], asked).outputs[0].contents.bytes_contents) == ["ü".encode()]


def test_raw_contents_are_answered_with_raw_contents():
    asked = request("FP16", raw=binary.write("FP16", [1, 2]), outputs=["predict"])
    response = answer(decode(asked).rows.values, asked)
    assert response.outputs[0].datatype == "FP16"
    assert np.frombuffer(response.raw_output_contents[0], "<f2").tolist() == [1, 2]


def test_an_answer_in_fp16_can_only_be_raw():
    response = answer(np.array([1], "f2"), request(fp32_contents=[1, 2]))
    assert len(response.raw_output_contents) == 1


def test_parameters_are_plain_values():
    asked = request(fp32_contents=[1, 2])
    asked.parameters["factor"].int64_param = 3
    asked.parameters["content_type"].string_param = "pd"
    asked.parameters["nothing"].SetInParent()
    decoded = decode(asked)
    assert decoded.parameters == {"factor": 3, "content_type": "pd"}
    assert list(decoded.rows) == [{"x": 1.0}, {"x": 2.0}]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (ModelInferRequest(), "at least one input"),
        (request("FP64", fp32_contents=[1, 2]), "data holds 0"),
        (request("FP16", fp32_contents=[1, 2]), "no contents but raw"),
        (request("INT8", int_contents=[1, 300]), "not all are INT8"),
        (request("FP8"), "'FP8' is none of"),
        (request("BYTES", bytes_contents=[b"a", b"\xff"]), "not UTF-8"),
        (request(shape=(-1,)), "no elements"),
    ],
)
def test_a_request_that_does_not_fit_says_why(asked, says):
    with pytest.raises(InvalidInput, match=says):
        decode(asked)


def test_there_is_one_raw_content_for_each_input():
    asked = request(raw=b"")
    asked.raw_input_contents.append(b"")
    with pytest.raises(InvalidInput, match="2 raw_input_contents for 1 inputs"):
        decode(asked)


def test_a_large_message_of_very_many_inputs_is_refused_before_it_is_parsed():
    many = request()
    for _ in range(LARGE_MESSAGE_BYTES // 64):
        many.inputs.add(name="x" * 64)
    with pytest.raises(TooLarge, match=f"more than {FIELD_LIMIT} fields"):
        fields(many.SerializeToString())


def test_a_large_message_of_few_fields_and_a_small_one_of_many_are_parsed():
    fields(request(raw=b"x" * (LARGE_MESSAGE_BYTES + 1), fp32_contents=[1]).SerializeToString())
    small = request()
    for _ in range(FIELD_LIMIT + 1):
        small.inputs.add()
    assert len(small.SerializeToString()) < LARGE_MESSAGE_BYTES
    fields(small.SerializeToString())


@pytest.mark.parametrize(
    "field", [b"\x08\xff\x01", b"\x09" + b"8" * 8, b"\x0d" + b"4" * 4, b"\x0a\x02ab"],
    ids=["number", "8 bytes", "4 bytes", "text"],
)  # fmt: skip
def test_fields_are_counted_however_their_values_are_written(field: bytes):
    few = field * (FIELD_LIMIT // 2)
    rest = b"\x0a" + b"\x80\x80\x40" + b"x" * (1 << 20)  # one field of a megabyte
    fields(few + rest)
    with pytest.raises(TooLarge):
        fields(field * (FIELD_LIMIT + 1) + rest)


def test_what_is_no_message_is_left_to_the_parser():
    for broken in (
        b"\x0f" * (LARGE_MESSAGE_BYTES + 1),
        request(raw=bytes(LARGE_MESSAGE_BYTES)).SerializeToString()[:-1],
    ):
        assert fields(broken) == (broken, [])
        with pytest.raises(InvalidInput, match="is no ModelInferRequest"):
            codec.parse_infer(broken)


@pytest.mark.parametrize("floats", [2, LARGE_MESSAGE_BYTES // 4], ids=["small", "large"])
def test_raw_contents_are_the_same_in_a_small_message_and_in_a_large_one(floats):
    values = np.arange(floats, dtype="<f4")
    asked = request(shape=(floats,), raw=values.tobytes(), outputs=["predict"])
    decoded = decode(asked)
    assert np.array_equal(decoded.rows.values, values)
    assert (decoded.id, decoded.outputs, decoded.binary) == ("42", ("predict",), True)


def test_the_raw_contents_of_a_large_message_are_not_copied():
    raw = request(raw=bytes(LARGE_MESSAGE_BYTES)).SerializeToString()
    _, (contents,) = codec.parse_infer(raw)
    assert contents.obj is raw


def test_only_a_request_for_inference_may_be_large():
    with pytest.raises(TooLarge, match="more than the 65536"):
        codec.parse(message("inference.ModelMetadataRequest"), bytes(65537))
