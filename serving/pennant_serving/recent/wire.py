"""Samples on their way from one pod to another: frames of MessagePack, each after its length."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from pennant_serving.recent.sample import BODY_LIMIT_BYTES, Giver, Sample

PATH = "/pennant/rehearsal/samples"
SAMPLES_LIMIT = 1000
ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
"""Of all frames together, but for the one that goes beyond."""
FRAME_LIMIT_BYTES = 2 * BODY_LIMIT_BYTES + 16384
LENGTH = struct.Struct(">I")
T = TypeVar("T", Giver, Sample)


class WireError(ValueError):
    """Those are no samples."""


def frame(content: Giver | Sample) -> bytes:
    """The bytes of one."""
    packed = msgspec.msgpack.encode(content)
    return LENGTH.pack(len(packed)) + packed


def read(
    read_bytes: Callable[[int], bytes], limit: int = ANSWER_LIMIT_BYTES
) -> tuple[Giver, list[Sample]]:
    """Who gives, and what, from a function that reads so many bytes, or fewer at the end. Raises
    WireError, which holds nothing of what was read."""
    giver = _content(read_bytes, Giver)
    if giver is None:
        raise WireError("the answer is empty")
    samples: list[Sample] = []
    size = 0
    while len(samples) < SAMPLES_LIMIT and size <= limit:
        sample = _content(read_bytes, Sample)
        if sample is None:
            break
        samples.append(sample)
        size += sample.size
    return giver, samples


def _content(read_bytes: Callable[[int], bytes], kind: type[T]) -> T | None:
    start = _exactly(read_bytes, LENGTH.size)
    if not start:
        return None
    size: int = LENGTH.unpack(start)[0]
    if size > FRAME_LIMIT_BYTES:
        raise WireError(f"a frame has {size} bytes, more than {FRAME_LIMIT_BYTES}")
    packed: Any = _exactly(read_bytes, size)
    try:
        return msgspec.msgpack.decode(packed, type=kind)
    except msgspec.MsgspecError:
        raise WireError("a frame holds something else") from None


def _exactly(read_bytes: Callable[[int], bytes], size: int) -> bytes:
    content = read_bytes(size)
    if content and len(content) < size:
        raise WireError("the answer ends within a frame")
    return content
