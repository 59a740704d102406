"""How many bytes of requests one process holds, whichever protocol they came by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pennant_serving.errors import TooLarge, Unavailable

BODY_LIMIT_BYTES = 64 * 1024 * 1024
"""Bytes of one request. Larger batches should be split: the whole body is parsed at once."""
ALL_BODIES_LIMIT_BYTES = 4 * BODY_LIMIT_BYTES
"""Bytes of all requests that are being read or answered."""
SMALL_BODY_BYTES = 64 * 1024
"""Bytes. A request up to this size is taken however many large ones there are."""


class Admission:
    """Lets requests in while there is room for them."""

    def __init__(self) -> None:
        self.bytes = 0
        """Reserved for all requests that are here now."""

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Room for one request, until the block is left."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            reservation.release()


class Reservation:
    """What one request takes of the room."""

    __slots__ = ("_admission", "bytes")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.bytes = 0

    def grow(self, size: int) -> None:
        """From now on it has this many bytes. Raises TooLarge for more than one request may have,
        and Unavailable while the others take all the room there is."""
        self._set(size)
        check_size(size)
        if size > SMALL_BODY_BYTES and self._admission.bytes > ALL_BODIES_LIMIT_BYTES:
            raise Unavailable(
                f"{ALL_BODIES_LIMIT_BYTES} bytes of requests are being answered already"
            )

    def release(self) -> None:
        """Its bytes are not needed any more."""
        self._set(0)

    def _set(self, size: int) -> None:
        self._admission.bytes += size - self.bytes
        self.bytes = size


def check_size(size: int) -> None:
    """Raises TooLarge."""
    if size > BODY_LIMIT_BYTES:
        raise TooLarge(
            f"the body has {size} bytes, more than the {BODY_LIMIT_BYTES} that are taken"
        )
