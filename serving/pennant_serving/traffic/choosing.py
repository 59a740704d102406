"""Which requests a share takes. Pure, but for the chance that it is given.

By counting: of a hundred requests the one that is taken is drawn, not each of them by itself. So
after any number of requests the share is met to one request in each process, and yet no client that
asks in a rhythm is always, or never, the one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from random import Random
from urllib.parse import unquote

from pennant_serving.sampling.sampling import PLUMBING
from pennant_serving.traffic.shares import MILLIONTHS, HandOver, Mirror, Shares, Stickiness

Headers = Iterable[tuple[bytes, bytes]]
HANDED_OVER, MIRRORED = b"pennant-handed-over", b"pennant-mirrored"
"""Headers of what other pods send here: it goes no further."""
HASHES = 2**64


class Counter:
    """Takes a share of requests exactly: one within each stretch that amounts to one. Of a share
    that is more than half it draws those that are not taken."""

    def __init__(self, millionths: int, random: Random) -> None:
        self._draws_others = 2 * millionths > MILLIONTHS
        self._millionths = MILLIONTHS - millionths if self._draws_others else millionths
        self._random = random
        self._sum = self._stretch = 0
        self._next = self._drawn()

    def takes(self) -> bool:
        """Whether the next request is of the share."""
        self._sum += self._millionths
        if self._sum < self._next:
            return self._draws_others
        self._stretch += MILLIONTHS
        self._next = self._drawn()
        return not self._draws_others

    def _drawn(self) -> int:
        """A place in the stretch that begins, and never its very beginning: a share of nothing
        stays there."""
        return self._stretch + 1 + self._random.randrange(MILLIONTHS)


def is_of_share(salt: bytes, value: bytes, millionths: int) -> bool:
    """Whether who has this value is; who is stays so when the share grows."""
    hashed = int.from_bytes(sha256(salt + value).digest()[:8])
    return hashed * MILLIONTHS < millionths * HASHES


def value_of(by: Stickiness, headers: Headers) -> bytes | None:
    """What tells who asks; None where nothing does."""
    if not by.is_cookie:
        return next((value for name, value in headers if name == by.name), None)
    for name, value in headers:
        if name == b"cookie":
            for pair in value.split(b";"):
                key, equals, content = pair.partition(b"=")
                if equals and key.strip() == by.name:
                    return content.strip()
    return None


class Predictions:
    """Tells requests for predictions from all others, by method and target.

    Who names a version in the path is asked for no other one.
    """

    def __init__(self, model: str, is_own: Callable[[str, str], bool]) -> None:
        """`is_own` says whether the adapter has a route for a method and a path."""
        self._asked = {"/invocations", f"/v2/models/{model}/infer"}
        self._is_own = is_own

    def includes(self, method: bytes, target: bytes) -> bool:
        """Whether this is one."""
        if method not in (b"POST", b"GET"):
            return False
        path = unquote(target.partition(b"?")[0].decode("latin-1"))
        if path in self._asked:
            return method == b"POST"
        if path in PLUMBING or (path + "/").startswith("/v2/"):
            return False
        return self._is_own(method.decode(), path)


class Chooser:
    """Asked for each request of one process while there are shares."""

    def __init__(self, shares: Shares, predictions: Predictions, random: Random) -> None:
        self._hand_over, self._mirror = shares.hand_over, shares.mirror
        self._predictions = predictions
        self._handed = Counter(shares.hand_over.millionths if shares.hand_over else 0, random)
        self._mirrored = Counter(shares.mirror.millionths if shares.mirror else 0, random)

    def choose(self, method: bytes, target: bytes, headers: Headers) -> HandOver | Mirror | None:
        """What a request with this head is of; names of headers are in lower case."""
        if not self._predictions.includes(method, target):
            return None
        if any(name in (HANDED_OVER, MIRRORED) for name, _ in headers):
            return None
        share = self._hand_over
        if share is not None and self._is_handed_over(share, headers):
            return share
        return self._mirror if self._mirrored.takes() else None

    def _is_handed_over(self, share: HandOver, headers: Headers) -> bool:
        if share.by is None:
            return self._handed.takes()
        value = value_of(share.by, headers)
        return value is not None and is_of_share(share.by.salt, value, share.millionths)
