"""What an adapter is: the code that knows one kind of bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from pennant_serving.rows import Prepared, Rows


@dataclass(frozen=True)
class ArraySpec:
    """The one array that a model takes: rows of so many numbers of one type."""

    dtype: str
    width: int
    names: tuple[str, ...] = ()
    """The columns, in order; empty when they have no names."""
    fits: Callable[[Any], bool] | None = None
    """Whether the columns of an array are what the signature says, where the type does not tell."""
    names_its_answers: bool = False
    """The answer is outputs by name, of which a request may ask for some."""


@dataclass(frozen=True)
class Further:
    """An answer that a model gives beside its predictions, when a V2 request names it."""

    answer: Callable[[Rows], Any]
    datatype: str
    shape: tuple[int, ...]
    """-1 where it depends on the rows."""


class Adapter(Protocol):
    """Answers rows by a bundle that it loaded. Any importable class of this shape will do.

    An adapter may also have `routes()`, returning starlette Routes with plain `def` endpoints that
    take the request and return a response; they run in the same threads as `predict`. It may say
    more about itself: `joins = True` when the answer to a row never depends on the rows beside it,
    so that requests may be predicted together (`joins_because` tells why, or why not;
    `never_joins = True` that not even a person may ask for it; `answers_arrays = True` that a list
    is never one answer for each row); `steady = True` when `predict` waits for nothing and takes a
    time that depends on the number of rows only, so that short predictions may run in the event
    loop; and an `array_spec`, with `predict_array(array)` and `to_array(rows)`, when it takes
    arrays in place of `Rows`.

    `survives_fork = True` says of its class that what `load` makes may be used in processes that
    are forked afterwards, so that several workers share it. Its `load` may take `threads`: how many
    a prediction may use.

    Beside its predictions it may have `further` outputs, a dict of `Further` by name. Its `predict`
    may take `params`: a dict of what a request says beside the rows, or None.
    """

    @property
    def input_example(self) -> Rows | Prepared | Sequence[Any] | None:
        """Rows that the loaded model must be able to answer, or None."""

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """The adapter of the bundle in this folder (a bundle of one file lies in it by its name).

        Any exception rejects the version.
        """

    def predict(self, rows: Rows) -> Any:
        """One prediction for each row. Called from several threads at a time.

        Raise ValueError for rows that cannot be answered (400); anything else that is raised is
        the model's fault (500).
        """
