"""Reads the body of an answer, as far as anybody's answer may be long.

Whoever answers may be no MLflow: what is compressed is counted as it is unpacked, in pieces.
"""

import zlib

import aiohttp

# of one answer of MLflow, unpacked; a page of 1,000 models with three versions each is 0.85 MB
ANSWER_LIMIT_BYTES = 16 * 2**20
_PIECE_BYTES = 2**16  # of an answer read at a time
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib tells them apart by their heads


class UnreadableError(Exception):
    """A body that is too long, or packed in a way that was not asked for; says which."""


class TooLongError(UnreadableError):
    """A body that is longer than whoever asked for it takes."""


async def read(response: aiohttp.ClientResponse, limit: int = ANSWER_LIMIT_BYTES) -> str:
    """The body as text, whatever charset it says: JSON is UTF-8. Raises UnreadableError.

    The session must leave it as it came (`auto_decompress=False`).
    """
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise UnreadableError(f"is packed as {packing!r}, and the operator asks for plain answers")
    unpack = None if packing in {"identity", ""} else zlib.decompressobj(_GZIP_OR_ZLIB)
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        try:  # one byte more than may be tells that there are more
            body += unpack.decompress(piece, limit + 1 - len(body)) if unpack else piece
        except zlib.error as error:
            raise UnreadableError(f"is not packed as {packing!r}, as it says ({error})") from error
        if len(body) > limit:
            raise TooLongError(f"is longer than {limit // 2**20} MiB")
    return body.decode(errors="replace")
