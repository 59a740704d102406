"""Writing the record of a move, and taking it back when the move fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pennant_registry import client as mlflow_client
from pennant_registry import moves
from pennant_registry.errors import RegistryError
from pennant_registry.moves import Move
from pennant_registry.pointers import Pointer
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


@contextlib.contextmanager
def recorded(client: MlflowClient, on: Version, move: Move, of: Pointer) -> Iterator[None]:
    """Around a move: its record comes first, so that dying in between leaves a record too many
    rather than one too few. Where the move fails, or the record, the tags are as they were."""
    tags, begun = moves.tags_of(move, of, on), False
    try:
        with mlflow_client.asking(client):
            for key, value in tags.items():
                client.set_model_version_tag(on.name, str(on.version), key, value)
        begun = True
        yield
    except RegistryError as error:
        if not begun or not _may_have_moved(client, move, of, on.name):
            _take_back(client, on, [*tags], error)
        raise


def _may_have_moved(client: MlflowClient, move: Move, of: Pointer, name: str) -> bool:
    """An error may hide that it was done: then its record stays."""
    try:
        holders = of.holders(client, name)
    except RegistryError:
        return True
    return bool(holders) and holders[0].version == move.version


def _take_back(client: MlflowClient, on: Version, keys: list[str], error: RegistryError) -> None:
    number = str(on.version)
    try:
        with mlflow_client.asking(client):
            for key in reversed(keys):
                if key in on.tags:
                    client.set_model_version_tag(on.name, number, key, on.tags[key])
                else:
                    client.delete_model_version_tag(on.name, number, key)
    except RegistryError as trouble:
        error.add_note(
            f"its record could not be taken off version {number} of {on.name} ({trouble}): delete "
            f"the tags {', '.join(keys)}"
        )
