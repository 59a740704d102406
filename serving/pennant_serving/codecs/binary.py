"""Tensors as raw bytes: V2's binary tensor extension, and gRPC's raw contents.

Numbers lie one after the other, little-endian, in row-major order. Each element of BYTES has its
length before it, as four bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pennant_serving.codecs.datatypes import DTYPES
from pennant_serving.codecs.size import check_values
from pennant_serving.errors import InvalidInput

Buffer = bytes | memoryview

LENGTH = struct.Struct("<I")


def read(name: str, datatype: str, shape: Sequence[int], raw: Buffer) -> Any:
    """The elements in their shape: an array that shares the bytes, or for BYTES one of objects.

    Raises InvalidInput, naming the tensor.
    """
    if datatype == "BYTES":
        check_values(math.prod(shape))
        elements = _split(name, raw, math.prod(shape))
    else:
        dtype = DTYPES[datatype]
        if len(raw) % dtype.itemsize:
            message = f"{len(raw)} bytes are no whole number of {datatype} elements"
            raise InvalidInput(f"input {name!r}: {message}")
        elements = np.frombuffer(raw, dtype=dtype)
    if len(elements) != math.prod(shape):
        message = f"shape {list(shape)} wants {math.prod(shape)} values, data holds {len(elements)}"
        raise InvalidInput(f"input {name!r}: {message}")
    return elements.reshape(tuple(shape))


def write(datatype: str, elements: Any) -> bytes:
    """The elements of an output; those of BYTES are texts or bytes."""
    if datatype == "BYTES":
        return b"".join(_with_length(elements))
    return np.ascontiguousarray(elements, dtype=DTYPES[datatype]).tobytes()


def _split(name: str, raw: Buffer, most: int) -> np.ndarray[Any, Any]:
    elements: list[str] = []
    place = 0
    while place < len(raw):
        if len(elements) == most:
            raise InvalidInput(f"input {name!r}: there are bytes after its {most} elements")
        start = place + LENGTH.size
        if start > len(raw):
            raise InvalidInput(f"input {name!r}: the bytes end within an element's length")
        place = start + LENGTH.unpack_from(raw, place)[0]
        if place > len(raw):
            raise InvalidInput(f"input {name!r}: the bytes end within an element")
        elements.append(text(name, raw[start:place]))
    return objects(elements)


def _with_length(elements: Iterable[str | bytes]) -> Iterable[bytes]:
    for element in elements:
        raw = element.encode() if isinstance(element, str) else element
        yield LENGTH.pack(len(raw)) + raw


def text(name: str, raw: Buffer) -> str:
    """An element of BYTES, which is text in UTF-8. Raises InvalidInput."""
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        advice = 'send it in base64, with the tensor\'s parameter "content_type": "base64"'
        raise InvalidInput(f"input {name!r}: an element is not UTF-8: {advice}") from error


def objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """An array of objects, also when those are sequences themselves."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
