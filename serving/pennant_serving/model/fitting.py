"""Why rows do not fit a model, in one sentence: what is wrong, what it takes, what was given.

Asked after an error only: libraries say "could not convert string to float: 'x'", or of what shape
something was, and neither which column nor what would have been right. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pennant_serving.bundle.takes import Takes, listed
from pennant_serving.errors import InvalidInput, Unfit
from pennant_serving.model.given import Given, given_of

LIBRARY_MESSAGE_CHARACTERS = 300
"""Letters of what a library said; it may repeat the data."""
NO_NUMBER = ("could not convert string to float", "arrays of bytes/strings")
"""How libraries say that a text is none."""


def explained(
    error: InvalidInput, takes: Takes | None, asked: Any, tensors: Sequence[str] = ()
) -> InvalidInput:
    """The error, with what the model takes and what was given before it where these differ.

    `asked` are rows of any form, or None where nothing could be read; `tensors` are the names of a
    V2 request's inputs.
    """
    if takes is None or asked is None or not (takes.names or takes.width or takes.are_tensors):
        return error
    problem = misfit(takes, given_of(asked, takes, tensors), str(error))
    if not problem:
        return error
    if isinstance(error, Unfit):
        return Unfit(problem)
    return Unfit(f"{problem} ({' '.join(str(error).split())[:LIBRARY_MESSAGE_CHARACTERS]})")


def misfit(takes: Takes, given: Given, message: str = "") -> str:
    """What is wrong, what is right, what was given; empty where nothing is seen to be wrong."""
    faults = [*_faults(takes, given)]
    could_be_text = takes.kinds and not takes.are_numbers
    if given.text and (takes.are_numbers or (not could_be_text and _is_no_number(message))):
        column, value = given.text
        place = int(column) if given.names is None and column.isdigit() else None
        if place is not None and place < len(takes.names) and not takes.are_tensors:
            column = takes.names[place]
        faults.append(f"column {column} holds text ({value[:40]!r})")
    if not faults and given.is_object and not takes.kinds and takes.names:
        faults.append(
            "the model has no signature, so names are understood in dataframe_split and "
            "dataframe_records only"
        )
    return "; ".join([*faults, str(takes), str(given)]) if faults else ""


def _faults(takes: Takes, given: Given) -> Iterable[str]:
    what = "tensors" if takes.are_tensors else "columns"
    if takes.names and given.names is not None:
        missing = [n for n in takes.names if n in takes.required and n not in given.names]
        if missing:
            yield f"missing {what}: {listed(missing)}"
    elif takes.are_tensors:
        if len(takes.names) > 1:
            yield f"missing tensors: {listed(takes.names)}"
        elif given.names is not None:
            yield "the request gives names, and the model's tensor has none"
        elif takes.row is not None and not _same(given.shape, takes.row):
            yield f"a row has shape {list(given.shape)} and needs {list(takes.row)}"
    elif given.is_object and not takes.names and not takes.kinds:
        yield "the request gives names, and the model's columns have none"
    else:
        width = (given.shape or (1,))[0] if given.names is None else len(given.names)
        if takes.width is not None and (width != takes.width or len(given.shape) > 1):
            yield f"rows have {width} value{'s' if width != 1 else ''} and need {takes.width}"


def _same(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    if len(shape) != len(wanted):
        return False
    return all(want in (-1, is_) for is_, want in zip(shape, wanted, strict=True))


def _is_no_number(message: str) -> bool:
    return any(words in message for words in NO_NUMBER)
