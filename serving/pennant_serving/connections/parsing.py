"""httptools' parser, as we use it."""

from __future__ import annotations

from typing import Any

import httptools

from pennant_serving.connections.refusals import Refused


class Enough(Exception):  # noqa: N818 - stops the parser
    """Raised in a callback: what follows will not be answered."""


def make(target: Any) -> httptools.HttpRequestParser:
    """A parser that calls the target."""
    parser = httptools.HttpRequestParser(target)
    # What follows a request that ends its connection is not an error, it is not read.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def is_enough(error: httptools.HttpParserError) -> bool:
    """Whether the parser stopped because it was told to."""
    return isinstance(error.__context__, Enough)


def refused(error: httptools.HttpParserError) -> Refused:
    """What to say of bytes at which the parser stopped."""
    cause = error.__context__
    if isinstance(cause, Refused):
        return cause
    return Refused(400, "Invalid HTTP request received.")
