"""Pins: which wheel of which version of which package, and the digest of all of them.

In a success message, which has 4096 bytes for everything, a wheel's hash is cut to its first half:
128 bits still tell it from every other wheel, and whoever installs by pins ends with the digest,
which is over whole hashes, or fails.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

HASH_BYTES = 16
"""Of each wheel's sha256."""
CONTENT_BYTES = 1 << 20
"""Of pins that are read, at most: some 15,000 packages."""


@dataclass(frozen=True, order=True)
class Pin:
    """One package."""

    name: str
    """Normalised."""
    version: str
    sha256: str
    """Of its wheel, in hex; where it was read from pins its first HASH_BYTES only."""

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def digest(pins: Iterable[Pin]) -> str:
    """Hex sha256 of an environment: over the sorted lines `name==version sha256`."""
    return digest_of_lines(f"{pin} {pin.sha256}" for pin in pins)


def digest_of_lines(lines: Iterable[str]) -> str:
    """The same, of the lines as a record has them."""
    ordered = sorted(f"{line}\n" for line in lines)
    return hashlib.sha256("".join(ordered).encode("utf-8", "replace")).hexdigest()


def encode(pins: Iterable[Pin]) -> str:
    """As a text without a quote or a backslash."""
    ordered = sorted(pins)
    hashes = b"".join(bytes.fromhex(pin.sha256)[:HASH_BYTES] for pin in ordered)
    names = "\n".join(str(pin) for pin in ordered)
    # Apart from the names: what is random would keep them from being compressed.
    return base64.b85encode(zlib.compress(names.encode() + b"\0" + hashes, 9)).decode()


def decode(text: str) -> tuple[Pin, ...]:
    """The pins, sorted, each with the beginning of its hash. Raises ValueError."""
    try:
        content = _decompressed(base64.b85decode(text))
        names, _, hashes = content.partition(b"\0")
        listed = names.decode().split("\n") if names else []
    except (ValueError, zlib.error) as error:
        raise ValueError(f"these are no pins: {error}") from error
    if len(hashes) != len(listed) * HASH_BYTES:
        raise ValueError(f"these are no pins: {len(listed)} names, {len(hashes)} bytes of hashes")
    return tuple(
        _pin(name, hashes[n * HASH_BYTES : (n + 1) * HASH_BYTES]) for n, name in enumerate(listed)
    )


def _pin(text: str, beginning: bytes) -> Pin:
    match = _NAME_AND_VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"these are no pins: {text!r} is not name==version")
    return Pin(match[1], match[2], beginning.hex())


def _decompressed(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    content = inflating.decompress(data, CONTENT_BYTES)
    if not inflating.eof:
        raise ValueError("they are cut off, or longer than any environment's")
    return content


# A line for uv is made of each: what else it could say, another index would be asked by.
_NAME_AND_VERSION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._!+-]*)")
