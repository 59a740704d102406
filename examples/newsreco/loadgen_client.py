"""A small HTTP/1.1 client that hides nothing: no retry, no redirect, no quiet reconnect.

Load generators that retry would report the mistakes of a rollout as slowness. Here a request is
sent once. A pooled connection is given up *before* a request is sent on it when the server said
`Connection: close` or has closed it; whatever goes wrong after that is a failed request.
"""

import asyncio
import socket
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit


class AnswerError(Exception):
    """The answer is not HTTP that this client understands, or ended too early."""


@dataclass(frozen=True)
class Target:
    """Where requests go. The name is looked up once: DNS is not what is under test."""

    host: str
    address: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Target":
        """Parse `http://host[:port]` and resolve the host; ValueError or OSError if it cannot."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"--url is {url!r}: it must be http://host[:port]")
        port = parts.port or 80
        addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        return cls(parts.netloc, str(addresses[0][4][0]), port)


@dataclass(frozen=True)
class Answer:
    """One complete HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the server said that no further request may follow on this connection."""
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    """One TCP connection that carries one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> "Connection":
        """Connect; OSError when nobody answers."""
        return cls(*await asyncio.open_connection(target.address, target.port))

    @property
    def usable(self) -> bool:
        """False once the server has closed its side."""
        broken = self._reader.at_eof() or self._reader.exception() is not None
        return not broken and not self._writer.is_closing()

    async def get(self, host: str, path: str) -> Answer:
        """Send one GET and read its whole answer; AnswerError or OSError when that fails."""
        return await self._ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n", b"")

    async def post(self, host: str, path: str, body: bytes) -> Answer:
        """Send JSON by POST, else as `get`."""
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        return await self._ask(f"{head}Content-Length: {len(body)}\r\n", body)

    async def _ask(self, head: str, body: bytes) -> Answer:
        self._writer.write(f"{head}Accept: application/json\r\n\r\n".encode() + body)
        try:
            status = _status(await self._reader.readuntil(b"\r\n"))
            headers = await self._headers()
            body = await self._reader.readexactly(_length(headers))
        except asyncio.IncompleteReadError as error:
            got = "in the middle of" if error.partial else "before"
            raise AnswerError(f"the connection was closed {got} an answer") from error
        except asyncio.LimitOverrunError as error:
            raise AnswerError("a header line is too long") from error
        return Answer(status, headers, body)

    async def _headers(self) -> dict[str, str]:
        headers = {}
        while line := (await self._reader.readuntil(b"\r\n")).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def close(self) -> None:
        """Close without waiting."""
        self._writer.close()


class Pool:
    """Idle keep-alive connections, used in turn so that none of them rests for long."""

    def __init__(self, target: Target, size: int) -> None:
        self._target = target
        self._size = size
        self._idle: deque[Connection] = deque()

    async def take(self) -> Connection:
        """An idle connection that is still open, else a new one."""
        while self._idle:
            connection = self._idle.popleft()
            if connection.usable:
                return connection
            connection.close()
        return await Connection.open(self._target)

    def give_back(self, connection: Connection, *, closes: bool) -> None:
        """Keep a connection for later, unless the server ends it or enough are kept."""
        if closes or not connection.usable or len(self._idle) >= self._size:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.popleft().close()


def _status(line: bytes) -> int:
    words = line.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise AnswerError(f"not a status line: {line[:60]!r}")
    return int(words[1])


def _length(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "")
    if not length.isdigit():
        raise AnswerError("an answer without content-length cannot be checked for completeness")
    return int(length)
