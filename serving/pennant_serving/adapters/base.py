"""What an adapter is: the code that knows one kind of bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from pennant_serving.rows import Rows


class Adapter(Protocol):
    """Loads a bundle and answers rows. Any importable class of this shape will do.

    An adapter may also have `routes()`, returning starlette Routes with plain `def` endpoints that
    take the request and return a response; they run in the same threads as `predict`.
    """

    @property
    def input_example(self) -> Rows | Sequence[Any] | None:
        """Rows that the loaded model must be able to answer, or None."""

    def load(self, bundle: Path) -> None:
        """Load the bundle: its folder, or the one file that it is. Any exception rejects it."""

    def predict(self, rows: Rows) -> Any:
        """One prediction for each row. Called from several threads at a time.

        Raise `pennant_serving.errors.InvalidInput` for rows that cannot be answered (400); anything
        else that is raised is the model's fault (500).
        """
