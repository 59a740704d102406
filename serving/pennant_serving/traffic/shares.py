"""What the traffic file says: which share of predictions goes where. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from pennant_serving.address import Address

MILLIONTHS = 1_000_000
"""Of all requests; a share is so many of them."""
CONTENT_LIMIT_BYTES = 4096
ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,18}))?")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""A name of a header or a cookie."""
REVISION = re.compile(r"[!-~]{1,128}")


class TrafficError(ValueError):
    """That is no traffic file; says which field is wrong, and how."""


@dataclass(frozen=True)
class Stickiness:
    """What tells one who asks from another."""

    name: bytes
    """Of a header, in lower case, or of a cookie."""
    is_cookie: bool
    salt: bytes


@dataclass(frozen=True)
class HandOver:
    """Requests that a candidate answers."""

    to: Address
    revision: str
    version: str
    millionths: int
    by: Stickiness | None
    """None: by counting."""


@dataclass(frozen=True)
class Mirror:
    """Requests whose copies a challenger answers."""

    to: Address
    millionths: int


@dataclass(frozen=True)
class Shares:
    """All that is asked for; a share of nothing counts as none."""

    hand_over: HandOver | None = None
    mirror: Mirror | None = None

    def __bool__(self) -> bool:
        return self.hand_over is not None or self.mirror is not None


class _By(msgspec.Struct):
    header: str = ""
    cookie: str = ""


class _HandOver(msgspec.Struct):
    to: str
    revision: str
    percent: str
    version: str = ""
    by: _By | None = None
    salt: str = ""


class _Mirror(msgspec.Struct):
    to: str
    percent: str


class _Content(msgspec.Struct, rename="camel"):
    hand_over: _HandOver | None = None
    mirror: _Mirror | None = None


def parse(content: bytes) -> Shares:
    """The shares of a file. Raises TrafficError."""
    if len(content) > CONTENT_LIMIT_BYTES:
        raise TrafficError(f"it is longer than {CONTENT_LIMIT_BYTES} bytes")
    if not content.strip():
        return Shares()
    try:
        read = msgspec.json.decode(content, type=_Content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TrafficError(str(error)) from None
    return Shares(_hand_over(read.hand_over), _mirror(read.mirror))


def _hand_over(read: _HandOver | None) -> HandOver | None:
    if read is None:
        return None
    if not REVISION.fullmatch(read.revision):
        raise TrafficError(f"handOver.revision {read.revision!r} is no revision")
    to, by = _address("handOver.to", read.to), _stickiness(read.by, read.salt)
    millionths = _millionths("handOver.percent", read.percent)
    share = HandOver(to, read.revision, read.version, millionths, by)
    return share if millionths else None


def _mirror(read: _Mirror | None) -> Mirror | None:
    if read is None:
        return None
    to = _address("mirror.to", read.to)
    millionths = _millionths("mirror.percent", read.percent)
    return Mirror(to, millionths) if millionths else None


def _stickiness(by: _By | None, salt: str) -> Stickiness | None:
    if by is None:
        return None
    if bool(by.header) == bool(by.cookie) or not TOKEN.fullmatch(by.header or by.cookie):
        raise TrafficError("handOver.by is not the name of one header, or of one cookie")
    name = by.cookie or by.header.lower()
    return Stickiness(name.encode(), bool(by.cookie), salt.encode())


def _address(field: str, text: str) -> Address:
    match = ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise TrafficError(f"{field} {text!r} is not a host and a port")
    return Address(match[1].strip("[]"), int(match[2]))


def _millionths(field: str, text: str) -> int:
    match = PERCENT.fullmatch(text)
    if match is not None:
        percent = int(match[1]) * 10_000 + int(f"{match[2] or '0':0<4}"[:4])
        if percent <= MILLIONTHS:
            return percent
    raise TrafficError(f"{field} {text!r} is not a decimal from 0 to 100")
