"""One request that was answered, as it can be played again: what goes over the wire between pods.

Neither a log nor an error may hold one: its text is its kind.
"""

from __future__ import annotations

import re

import msgspec

INFER, INVOCATIONS, OWN = "infer", "invocations", "own"
"""The protocols of requests that can be played."""
INFER_ROUTE, INVOCATIONS_ROUTE = "POST /v2/models/{model}/infer", "POST /invocations"
JSON = "application/json"
BODY_LIMIT_BYTES = 64 * 1024
"""Of a body, and of an answer."""
SAMPLE_BYTES = 432
"""That a sample takes beside what its body, answer, target and media hold: itself, these as
objects, its numbers, its place in the line, and the allocator's rounding. A test measures it."""


LACKS = re.compile(rb"null|NaN|,[,\r\n]").search
"""Whether a body shows that a value is missing, in JSON or in CSV."""
FEW_ROWS = (1, 16)
"""The most that count as one row, and as few."""
Kind = tuple[str, str, bool, bool, int]


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that was answered with 2xx."""

    protocol: str
    """INFER, INVOCATIONS or OWN."""
    route: str
    """Method and template, as messages name it; the same object for all requests of a route."""
    method: str
    target: str
    """Path and query of a request to a route of the adapter's own, else empty."""
    media: str
    """The body's content-type."""
    head_bytes: int
    """How many of the body's bytes are JSON, where the request says so; else -1."""
    body: bytes
    answer: bytes
    """Empty where it is not compared: too long, or of a route of the adapter's own."""
    answer_head_bytes: int
    rows: int
    """That were asked; 0 where nobody knows."""
    seconds: float
    """That the model took, or, where `whole`, everything did since the request had arrived."""
    whole: bool
    alone: bool
    """No other request was predicted with it."""
    at: float
    """Seconds of the epoch."""

    def __repr__(self) -> str:
        return f"a sample of {self.route}"

    @property
    def kind(self) -> Kind:
        """What it has in common with others: route and form, whether a value is missing, and
        whether it asks one row, a few or many. These are what a new model stumbles over."""
        form = "" if self.protocol == OWN else self.media
        lacks = LACKS(self.body) is not None
        few, many = FEW_ROWS
        return self.route, form, self.head_bytes >= 0, lacks, (self.rows > few) + (self.rows > many)

    @property
    def size(self) -> int:
        """Bytes that it takes of the memory, all its parts counted."""
        size = SAMPLE_BYTES + len(self.body) + len(self.answer)
        # Routes and known media types are there once for all.
        return size + len(self.target) + len(self.media) if self.protocol == OWN else size


class Giver(msgspec.Struct, frozen=True):
    """Who gives samples, and of how many requests."""

    instance: str
    """This process among others; chance."""
    version: str
    revision: str
    answered: int
    """Requests that could have been samples, since it started."""
    remembered: int
    """Of them, those that are in memory."""
