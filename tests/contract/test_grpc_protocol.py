"""The compiled gRPC protocol is that of its source; its messages are those of clients."""

from pathlib import Path

import pytest
from grpc_tools import protoc
from tritonclient.grpc import service_pb2

import pennant_serving
from pennant_serving.grpc import messages

pytestmark = pytest.mark.contract

FOLDER = Path(pennant_serving.__file__).parent / "grpc"
CALLS = ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer")
ENDS = ("Request", "Response")
NAMES = [*(call + end for call in CALLS for end in ENDS), "InferParameter", "InferTensorContents"]


def fields(message) -> dict:
    own = {f.name: (f.number, f.type, f.is_repeated) for f in message.fields}
    return own | {nested.name: fields(nested) for nested in message.nested_types}


def test_the_compiled_protocol_is_that_of_its_source(tmp_path):
    """`make proto` makes it so."""
    out = tmp_path / "protocol.binpb"
    sources = [str(FOLDER / name) for name in ("protocol.proto", "health.proto")]
    arguments = ["protoc", f"-I{FOLDER}", f"--descriptor_set_out={out}", *sources]
    assert protoc.main(arguments) == 0
    assert out.read_bytes() == (FOLDER / "protocol.binpb").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_messages_have_the_fields_of_a_clients(name):
    theirs = service_pb2.DESCRIPTOR.message_types_by_name[name]
    assert fields(messages.POOL.FindMessageTypeByName(f"inference.{name}")) == fields(theirs)
