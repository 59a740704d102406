"""A load generator is only worth something if it cannot look away."""

import asyncio

import pytest

from newsreco.loadgen_client import AnswerError, Connection, Pool, Target

pytestmark = pytest.mark.unit

TARGET = Target("served", "127.0.0.1", 80)


class Wire:
    """The writing half of a connection, kept in memory."""

    def __init__(self):
        self.sent = b""
        self.closed = False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


def connection(*received, closed=False):
    reader = asyncio.StreamReader()
    for part in received:
        reader.feed_data(part)
    if closed:
        reader.feed_eof()
    return Connection(reader, Wire())


def get(*received, closed=True):
    async def ask():
        return await connection(*received, closed=closed).get("served", "/recommend/U106")

    return asyncio.run(ask())


def test_an_answer_has_a_status_headers_in_lower_case_and_its_body():
    answer = get(b"HTTP/1.1 200 OK\r\nX-Pennant-Version: 7\r\nContent-Length: 2\r\n\r\n{}")
    assert (answer.status, answer.headers["x-pennant-version"], answer.body) == (200, "7", b"{}")
    assert not answer.closes


def test_an_announced_close_is_seen():
    head = b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"
    assert get(head).closes


@pytest.mark.parametrize(
    ("received", "message"),
    [
        (b"", "closed before an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "in the middle of an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "in the middle of an answer"),
        (b"220 mail.example ready\r\n", "not a status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "without content-length"),
    ],
)
def test_an_answer_that_is_cut_or_not_http_is_an_error(received, message):
    with pytest.raises(AnswerError, match=message):
        get(received)


def test_the_pool_hands_out_connections_in_turn():
    async def scenario():
        pool = Pool(TARGET, size=2)
        first, second = connection(), connection()
        pool.give_back(first, closes=False)
        pool.give_back(second, closes=False)
        return [await pool.take(), await pool.take()] == [first, second]

    assert asyncio.run(scenario())


def test_a_connection_that_the_server_ended_is_never_used_again(monkeypatch):
    async def scenario():
        pool = Pool(TARGET, size=4)
        pool.give_back(connection(), closes=True)
        dropped = connection()
        pool.give_back(dropped, closes=False)
        dropped._reader.feed_eof()  # closed while it was idle
        new = connection()

        async def open_connection(_address, _port):
            return new._reader, new._writer

        monkeypatch.setattr(asyncio, "open_connection", open_connection)
        return (await pool.take())._reader is new._reader

    assert asyncio.run(scenario())


def test_an_url_that_is_not_plain_http_is_refused_by_name():
    with pytest.raises(ValueError, match="--url is 'https://x'"):
        Target.of("https://x")
