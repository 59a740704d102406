"""What both transports of V2 do with a request between its codec and the model."""

from __future__ import annotations

from typing import Any

from pennant_serving.codecs.v2 import InferRequest
from pennant_serving.errors import NoSuchModel
from pennant_serving.model import Model
from pennant_serving.settings import Settings
from pennant_serving.watch import record


async def answer(model: Model, asked: InferRequest, protocol: str) -> Any:
    """What the model says. Raises as `Model.predict` does.

    Of the request's parameters those reach the model that its signature calls its params: the
    others are the protocol's, or another server's.
    """
    mlmodel = model.bundle.mlmodel
    known = {each["name"] for each in mlmodel.params} if mlmodel else set()
    params = {name: value for name, value in asked.parameters.items() if name in known}
    record.asked(model, asked.rows, asked.tensors)
    result = await model.outputs(asked.rows, asked.outputs, protocol, params)
    record.answered(result, asked.outputs)
    return result


def check_identity(settings: Settings, name: str, version: str | None) -> None:
    """Raises NoSuchModel: a client that asks for a version must never get another one's answer."""
    asked = (name, version or settings.version)
    if asked != (settings.model, settings.version):
        raise NoSuchModel(
            f"there is no version {asked[1]} of {asked[0]} here: this server has version"
            f" {settings.version} of {settings.model}"
        )
