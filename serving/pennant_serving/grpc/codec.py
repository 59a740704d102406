"""gRPC's messages: tensors to rows, and predictions to tensors.

A client that sends raw contents is answered with raw contents, as is one whose answer has FP16,
for which there are no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from pennant_serving.admission import SMALL_BODY_BYTES
from pennant_serving.batching.weight import COUNTED_BYTES
from pennant_serving.codecs import binary, tensors
from pennant_serving.codecs.binary import Buffer
from pennant_serving.codecs.datatypes import DTYPES
from pennant_serving.codecs.outputs import Output, outputs_of
from pennant_serving.codecs.size import check_values
from pennant_serving.codecs.tensors import Head, Tensor
from pennant_serving.codecs.v2 import InferRequest, check_output, check_parameters, rows_of
from pennant_serving.errors import InvalidInput, TooLarge
from pennant_serving.grpc.fields import taken_out
from pennant_serving.grpc.messages import ModelInferRequest, ModelInferResponse

CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}

RAW_CONTENTS: int = ModelInferRequest.DESCRIPTOR.fields_by_name["raw_input_contents"].number


def weight(raw: bytes) -> int:
    """About how many values a ModelInferRequest may hold; raw contents are hardly any work."""
    return len(raw) // 4 if len(raw) <= COUNTED_BYTES else len(raw)


def parse(message_class: Any, raw: bytes) -> Any:
    """The message that these bytes are, of which only ModelInferRequest may be large. Raises
    InvalidInput, or TooLarge."""
    name = message_class.DESCRIPTOR.name
    if len(raw) > SMALL_BODY_BYTES and message_class is not ModelInferRequest:
        raise TooLarge(
            f"a {name} has {len(raw)} bytes, more than the {SMALL_BODY_BYTES} that are taken"
        )
    try:
        return message_class.FromString(raw)
    except (DecodeError, ValueError) as error:
        raise InvalidInput(f"the request is no {name}: {error}") from error


def parse_infer(raw: bytes) -> tuple[Any, Sequence[Buffer]]:
    """A ModelInferRequest, and its raw contents. Raises InvalidInput, or TooLarge."""
    rest, contents = taken_out(raw, RAW_CONTENTS)
    request = parse(ModelInferRequest, rest)
    return request, contents or request.raw_input_contents


def decode(request: Any, raw: Sequence[Buffer] = ()) -> InferRequest:
    """What a ModelInferRequest asks, whose raw contents are these. Raises InvalidInput."""
    if not request.inputs:
        raise InvalidInput("there must be at least one input")
    if raw and len(raw) != len(request.inputs):
        count = f"{len(raw)} raw_input_contents for {len(request.inputs)} inputs"
        raise InvalidInput(f"there must be one for each input: {count}")
    read = [
        tensors.of_raw(_head(each), raw[place]) if raw else _of_contents(_head(each), each.contents)
        for place, each in enumerate(request.inputs)
    ]
    parameters = _plain(request.parameters)
    check_parameters(parameters)
    for each in request.outputs:
        check_output(each.name, _plain(each.parameters))
    return InferRequest(
        rows=rows_of(read, parameters),
        id=request.id or None,
        outputs=tuple(each.name for each in request.outputs),
        parameters=parameters,
        binary=bool(raw),
        tensors=tuple(each.name for each in read),
    )


def encode(result: Any, request: InferRequest, model: str, version: str) -> Any:
    """A ModelInferResponse. Raises as `outputs_of` does."""
    outputs = outputs_of(result, request.outputs)
    response = ModelInferResponse(model_name=model, model_version=version, id=request.id or "")
    for output in outputs:
        response.outputs.add(**output.head)
    if request.binary or any(output.datatype not in CONTENTS for output in outputs):
        response.raw_output_contents.extend(output.raw() for output in outputs)
        return response
    for output, written in zip(outputs, response.outputs, strict=True):
        getattr(written.contents, CONTENTS[output.datatype]).extend(_elements(output))
    return response


def _head(tensor: Any) -> Head:
    parameters = _plain(tensor.parameters)
    return tensors.checked(Head(tensor.name, tensor.datatype, tensor.shape, parameters))


def _of_contents(described: Head, contents: Any) -> Tensor:
    name, field = described.name, CONTENTS.get(described.datatype)
    if field is None:
        message = f"{described.datatype} has no contents but raw_input_contents"
        raise InvalidInput(f"input {name!r}: {message}")
    check_values(len(getattr(contents, field)))
    values = getattr(contents, field)
    if described.datatype == "BYTES":
        return tensors.of_flat(described, [binary.text(name, each) for each in values])
    try:
        array = np.fromiter(values, DTYPES[described.datatype], len(values))
    except OverflowError as error:
        raise InvalidInput(f"input {name!r}: not all are {described.datatype}: {error}") from error
    return tensors.of_raw(described, array.view(np.uint8).data)


def _elements(output: Output) -> list[Any]:
    if output.datatype != "BYTES":
        return list(output.elements.tolist())
    return [each.encode() if isinstance(each, str) else each for each in output.elements]


def _plain(parameters: Any) -> dict[str, Any]:
    """InferParameters as the values they hold; one that holds none is as if it were absent."""
    chosen = {name: each.WhichOneof("parameter_choice") for name, each in parameters.items()}
    return {name: getattr(parameters[name], kind) for name, kind in chosen.items() if kind}
