"""Samples from what serves, through the Service: of the pod that happens to answer."""

from __future__ import annotations

import contextlib
import http.client
import time

from pennant_serving.recent import wire
from pennant_serving.recent.sample import Giver, Sample
from pennant_serving.recent.wire import WireError
from pennant_serving.settings import Settings

ASK_SECONDS = 1.0
"""For the connection, and again for the whole answer."""
REMEMBERS_NONE = 404


class NoSamplesError(Exception):
    """What serves gives none; says why."""


def ask(settings: Settings) -> tuple[Giver, list[Sample]]:
    """Who gives samples, and what. Blocks. Raises NoSamplesError.

    No proxy of the environment is asked, and no redirect followed: the token goes to the Service.
    """
    deadline = time.monotonic() + ASK_SECONDS
    connection = http.client.HTTPConnection(settings.rehearsal_address, timeout=ASK_SECONDS)
    with contextlib.closing(connection):
        try:
            return _asked(connection, settings, deadline)
        except WireError as error:
            raise NoSamplesError(
                f"what {settings.rehearsal_address} gives cannot be read: {error}"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "strerror", "") or type(error).__name__)
            raise NoSamplesError(
                f"nobody answers at {settings.rehearsal_address} ({reason})"
            ) from None


def _asked(
    connection: http.client.HTTPConnection, settings: Settings, deadline: float
) -> tuple[Giver, list[Sample]]:
    headers = {"Authorization": f"Bearer {settings.rehearsal_token}", "Connection": "close"}
    connection.request(
        "GET", f"{wire.PATH}?requests={settings.rehearsal_requests}", headers=headers
    )
    answer = connection.getresponse()
    if answer.status == REMEMBERS_NONE:
        raise NoSamplesError("what serves remembers no requests yet")
    if answer.status != http.client.OK:
        raise NoSamplesError(f"{settings.rehearsal_address} answered {answer.status}")

    def in_time(size: int) -> bytes:
        if time.monotonic() > deadline:
            raise NoSamplesError(f"{settings.rehearsal_address} took longer than {ASK_SECONDS:g} s")
        return answer.read(size)

    return wire.read(in_time)
