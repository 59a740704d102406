"""Asks one pod how it answered: briefly, and whatever comes back stays small."""

import json
from collections.abc import AsyncIterator

import aiohttp

from pennant_operator.decide.seen.answers import (
    AnswerCounts,
    ReportQuestion,
    UnreadableReportError,
    answers_of,
)

REPORT_SECONDS = 1.0  # for one report of a pod, the wait for a free connection included
REPORT_LIMIT_BYTES = 2**16  # of a report; the server's own have about 1 kB
CONNECTIONS_LIMIT = 100  # pods that are asked at the same time
_PIECE_BYTES = 2**14  # of a report read at a time
OLDER_SERVER_STATUS = 404


def new_session() -> aiohttp.ClientSession:
    """For pods: nothing of the environment, nothing to send along, no redirect (below)."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_LIMIT, force_close=True),
        timeout=aiohttp.ClientTimeout(total=REPORT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        trust_env=False,
    )


async def read_report(
    session: aiohttp.ClientSession, address: str, question: ReportQuestion
) -> AnswerCounts:
    """What one pod says; raises UnreadableReportError, which says why not and what to do."""
    url = f"http://{address}/metrics/answers?seconds={question.seconds}"
    port = address.rpartition(":")[2]
    policy = f"see that no NetworkPolicy keeps the operator from port {port} of its pods"
    try:
        async with session.get(url, allow_redirects=False) as response:
            body = await _bounded(response.content.iter_chunked(_PIECE_BYTES))
            status = response.status
    except TimeoutError:
        raise UnreadableReportError(
            f"pods do not answer within {REPORT_SECONDS:g} s: {policy}"
        ) from None
    except UnreadableReportError:
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        kind = type(error).__name__
        raise UnreadableReportError(f"pods cannot be asked ({kind}): {policy}") from error
    if status == OLDER_SERVER_STATUS:
        raise UnreadableReportError(
            "the serving image is older than this operator, and has no report of answers"
        )
    if status != 200:
        raise UnreadableReportError(f"pods answer {status} where they should report their answers")
    return answers_of(_parsed(body), question.model, question.version, question.candidate)


async def _bounded(pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > REPORT_LIMIT_BYTES:
            raise UnreadableReportError(
                f"pods answer with more than {REPORT_LIMIT_BYTES // 1024} KiB, which is no report"
            )
    return bytes(body)


def _parsed(body: bytes) -> object:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):  # the latter: a body of brackets
        return None
    return content
