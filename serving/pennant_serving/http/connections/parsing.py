"""httptools' parser, as we use it."""

from __future__ import annotations

from typing import Any

import httptools

from pennant_serving.http.connections.arriving import Arriving, Refused


class Enough(Exception):  # noqa: N818 - stops the parser
    """Raised in a callback: what follows will not be answered."""


class Parsing:
    """Has a parser call the methods of a subclass, in HTTP/1.1 whatever else a client wishes.

    The parser takes all that follows a head that asks for another protocol for that. We go on, as a
    server may: a new one is given the same head without that wish, and then what followed.
    """

    def __init__(self, now: float) -> None:
        self._parser = _parser(self)
        self._arriving = Arriving(now)
        self.number = 0
        """Of the request that arrived, or began to arrive, last."""
        self.last: int | None = None
        """The number of the request whose answer ends the connection."""
        self._next_head = b""
        """The head that the next parser is to be given."""
        self._is_deaf = False
        """Nothing more is read."""

    @property
    def is_receiving(self) -> bool:
        return self._arriving.is_on

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises Refused for what is no request."""
        if self._is_deaf:
            return
        number = self.number
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_on(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._stop_at(error)
        if self._arriving.is_on and number == self.number:
            self._arriving.more(len(data))

    def stop(self) -> None:
        """Read nothing any more."""
        self._is_deaf, self._arriving.is_on = True, False

    def restart(self, now: float) -> None:
        """Count from now on how long a request takes to arrive."""
        self._arriving.restart(now)

    def _read_on(self, rest: memoryview) -> None:
        try:
            while self._next_head:
                self._parser = _parser(self)
                self._parser.feed_data(self._next_head)
                try:
                    self._parser.feed_data(rest)
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._stop_at(error)

    def _stop_at(self, error: httptools.HttpParserError) -> None:
        self._is_deaf = True
        if not isinstance(error.__context__, Enough):
            raise _refused(error) from None


def _parser(target: Any) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(target)
    # What follows a request that ends its connection is not an error, it is not read.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _refused(error: httptools.HttpParserError) -> Refused:
    cause = error.__context__
    return cause if isinstance(cause, Refused) else Refused(400, "Invalid HTTP request received.")
