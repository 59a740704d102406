"""A receiver of incoming webhooks that answers as Slack does, or in one of the ways others do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pennant_testing.answering import answering

SECRET = "T0MARKER/B0MARKER/x8dMARKERq"
PATH = f"/services/{SECRET}"
HANG_SECONDS = 300.0  # at most, that an answer does not come
Answer = tuple[int, dict[str, str], str]


@dataclass
class Slack:
    """What it was sent and took, and how it is: its mood."""

    url: str = ""
    taken: list[Any] = field(default_factory=list)
    tried: int = 0
    mood: str = "well"
    over: threading.Event = field(default_factory=threading.Event)
    before_answer: Callable[[], None] = lambda: None
    after_answer: Callable[[], None] = lambda: None

    def answer(self, path: str, body: bytes) -> Answer:
        """To one message."""
        self.tried += 1
        if self.mood == "hangs":
            self.over.wait(HANG_SECONDS)
        moods: dict[str, Answer] = {
            "limits": (429, {"Retry-After": "1"}, "rate_limited"),
            "redirects": (302, {"Location": self.url}, ""),
            "fails": (503, {}, f"upstream of {path} is away"),
            "gone": (404, {}, "no_service"),
            "echoes": (404, {}, f"Cannot POST {path}"),
            "endless": (200, {}, "x" * 10**6),
        }
        return moods[self.mood] if self.mood in moods else self._take(path, body)

    def _take(self, path: str, body: bytes) -> Answer:
        if path != PATH:
            return 404, {}, "no_service"
        try:
            message = json.loads(body)
        except ValueError:
            return 400, {}, "invalid_payload"
        if not isinstance(message, dict) or not isinstance(message.get("text"), str):
            return 400, {}, "no_text"
        self.taken.append(message)
        return 200, {}, "ok"

    def texts(self) -> list[str]:
        return [str(each["text"]) for each in self.taken]


class Anything(Slack):
    """One that takes any JSON, anywhere."""

    def answer(self, path: str, body: bytes) -> Answer:
        self.tried += 1
        self.taken.append(json.loads(body))
        return 202, {}, ""


@contextmanager
def slack(given: Slack | None = None) -> Iterator[Slack]:
    """Listening, until the block is left."""
    receiver = given or Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.before_answer()
            code, headers, text = receiver.answer(self.path, body)
            self.send_response(code)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())
            self.wfile.flush()
            receiver.after_answer()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with answering(server) as port:
        receiver.url = f"http://127.0.0.1:{port}{PATH}"
        try:
            yield receiver
        finally:
            receiver.over.set()
