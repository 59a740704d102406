"""What stands before an MLflow server: TLS that asks for client certificates, and HTTP proxies.

Both hand on bytes; the proxy remembers who wanted to go where, and what it saw of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from pennant_testing.answering import answering

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """The port of a server that does this with each connection, in a thread of its own."""
    loop, ports = asyncio.new_event_loop(), []

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # it may leave
            await serve(reader, writer)
        writer.close()

    async def listen() -> None:
        server = await asyncio.start_server(came, "127.0.0.1", 0)
        ports.append(int(server.sockets[0].getsockname()[1]))
        started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve_forever()

    started = threading.Event()
    task = loop.create_task(listen())

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(asyncio.wait([task]))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(60)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


@contextlib.contextmanager
def tls_front(url: str, trust: ssl.SSLContext) -> Iterator[str]:
    """The https address of a server that speaks to `url` for whoever `trust` lets in.

    With blocking sockets: asyncio's do not say why they let nobody in.
    """
    target = _address(urlsplit(url).netloc)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wrapped = trust.wrap_socket(self.request, True, do_handshake_on_connect=False)
            with contextlib.suppress(OSError), wrapped as came:
                if _let_in(came):
                    with socket.create_connection(target) as other:
                        _pass_on(came, other)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with answering(server) as port:
        yield f"https://127.0.0.1:{port}"


def _let_in(came: ssl.SSLSocket) -> bool:
    """Whether the client is trusted; the one that is not has time to read why."""
    try:
        came.do_handshake()
    except ssl.SSLError:
        came.shutdown(socket.SHUT_WR)
        while came.recv(65536):
            pass
        return False
    return True


def _pass_on(came: ssl.SSLSocket, other: socket.socket) -> None:
    while ready := [came] if came.pending() else select.select([came, other], [], [], 10)[0]:
        for each in ready:
            read = each.recv(65536)
            if not read:
                return
            (other if each is came else came).sendall(read)


@dataclass
class ForwardProxy:
    """An HTTP proxy that lets in whoever has `credentials`, None being everybody."""

    credentials: str | None = None  # of the header Proxy-Authorization
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The first lines of the requests it let pass."""
    refused: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    """The header Proxy-Authorization of each request, where there is one."""
    seen: bytearray = field(default_factory=bytearray)
    """Everything that was sent through it, itself left out."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *headers = head.rstrip().split("\r\n")
        given = {k.lower(): v.strip() for k, _, v in (each.partition(":") for each in headers)}
        self.authorizations += [v for k, v in given.items() if k == "proxy-authorization"]
        if self.credentials not in {None, given.get("proxy-authorization")}:
            self.refused.append(line)
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n'
            )
            return await writer.drain()
        self.asked.append(line)
        method, target, _ = line.split(" ")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return await _joined(reader, writer, target, b"", self.seen.extend)
        netloc = urlsplit(target).netloc
        path = target.partition(netloc)[2]
        passed_on = [h for h in headers if not h.lower().startswith(("proxy-", "connection"))]
        lines = [f"{method} {path} HTTP/1.1", "Connection: close", *passed_on, "", ""]
        return await _joined(reader, writer, netloc, "\r\n".join(lines).encode(), self.seen.extend)


@contextlib.contextmanager
def forward_proxy(credentials: str | None = None) -> Iterator[ForwardProxy]:
    proxy = ForwardProxy(credentials)
    with listening(proxy.serve) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy


async def _joined(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    netloc: str,
    first: bytes = b"",
    seen: Callable[[bytes], None] = lambda _: None,
) -> None:
    """Hand on bytes both ways until both sides have ended."""
    back, forth = await asyncio.open_connection(*_address(netloc))
    try:
        forth.write(first)
        seen(first)
        await asyncio.gather(_copied(reader, forth, seen), _copied(back, writer, seen))
    finally:
        forth.close()


async def _copied(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, seen: Callable[[bytes], None]
) -> None:
    with contextlib.suppress(OSError):
        while read := await source.read(65536):
            seen(read)
            target.write(read)
            await target.drain()
    target.close()


def _address(netloc: str) -> tuple[str, int]:
    host, _, port = netloc.rpartition(":")
    return host, int(port)
