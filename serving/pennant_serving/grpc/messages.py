"""The protocol's message classes, made from the compiled protocol.

In a pool of their own: a model's code may bring a client of the same protocol, and protobuf refuses
two definitions of one name in the pool that everybody shares.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    compiled = files("pennant_serving.grpc").joinpath("protocol.binpb").read_bytes()
    for file in FileDescriptorSet.FromString(compiled).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = _pool()


def message(name: str) -> Any:
    """The class of the message with this full name."""
    return GetMessageClass(POOL.FindMessageTypeByName(name))


ModelInferRequest = message("inference.ModelInferRequest")
ModelInferResponse = message("inference.ModelInferResponse")
HealthCheckResponse = message("grpc.health.v1.HealthCheckResponse")
