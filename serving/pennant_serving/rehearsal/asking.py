"""Samples from what serves, through the Service: of several pods, as it happens to lead to them.

A client may keep to one pod, and so may a kind of request.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

from pennant_serving.recent import wire
from pennant_serving.recent.choosing import shares
from pennant_serving.recent.sample import Giver, Kind, Sample
from pennant_serving.recent.wire import ANSWER_LIMIT_BYTES, WireError
from pennant_serving.settings import Settings

ASK_SECONDS = 1.0
"""For all questions together."""
QUESTIONS = 8
"""Connections, each to a pod that the Service chooses."""
REMEMBERS_NONE = 404


class NoSamplesError(Exception):
    """What serves gives none; says why."""


@dataclass
class Gathered:
    """What all who were asked gave together."""

    version: str
    revision: str
    givers: list[Giver] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return sum(sample.size for sample in self.samples)

    @property
    def answered(self) -> int:
        """Requests that could have been given."""
        return sum(giver.answered for giver in self.givers)

    @property
    def remembered(self) -> int:
        """Of them, those that were in memory."""
        return sum(giver.remembered for giver in self.givers)


def ask(settings: Settings) -> Gathered:
    """What those give that can be had in time. Blocks. Raises NoSamplesError when nobody does.

    No proxy of the environment is asked, and no redirect followed: the token goes to the Service.
    """
    deadline = time.monotonic() + ASK_SECONDS
    giver, samples = _answer(settings, (), ANSWER_LIMIT_BYTES, deadline)
    given = Gathered(giver.version, giver.revision, [giver], samples)
    with contextlib.suppress(NoSamplesError):
        for _ in range(QUESTIONS - 1):
            room = ANSWER_LIMIT_BYTES - given.size
            known = tuple(each.instance for each in given.givers)
            giver, samples = _answer(settings, known, room, deadline)
            if giver.instance not in known and giver.revision == given.revision:
                given.givers.append(giver)
                given.samples += samples
    if len(given.givers) > 1:
        given.samples = _chosen(given.samples, settings.rehearsal_requests, Random())  # noqa: S311
    return given


def _chosen(samples: list[Sample], wanted: int, random: Random) -> list[Sample]:
    """So many of all, with an equal share for each kind."""
    kinds: dict[Kind, list[Sample]] = {}
    for sample in samples:
        kinds.setdefault(sample.kind, []).append(sample)
    numbers = shares({kind: len(each) for kind, each in kinds.items()}, wanted)
    chosen = [one for kind, each in kinds.items() for one in random.sample(each, numbers[kind])]
    random.shuffle(chosen)
    return chosen


def _answer(
    settings: Settings, known: tuple[str, ...], room: int, deadline: float
) -> tuple[Giver, list[Sample]]:
    left, address = deadline - time.monotonic(), settings.rehearsal_address
    if left <= 0 or room <= 0:
        raise NoSamplesError(f"{address} took longer than a second")
    connection = http.client.HTTPConnection(address, timeout=left)
    with contextlib.closing(connection):
        try:
            return _asked(connection, settings, known, room, deadline)
        except WireError as error:
            raise NoSamplesError(f"what {address} gives cannot be read: {error}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "strerror", "") or type(error).__name__)
            raise NoSamplesError(f"nobody answers at {address} ({reason})") from None


def _asked(
    connection: http.client.HTTPConnection,
    settings: Settings,
    known: tuple[str, ...],
    room: int,
    deadline: float,
) -> tuple[Giver, list[Sample]]:
    headers = {"Authorization": f"Bearer {settings.rehearsal_token}", "Connection": "close"}
    wanted = [("requests", str(settings.rehearsal_requests)), *(("not", each) for each in known)]
    connection.request("GET", f"{wire.PATH}?{urlencode(wanted)}", headers=headers)
    with contextlib.closing(connection.getresponse()) as answer:
        if answer.status == REMEMBERS_NONE:
            raise NoSamplesError("what serves remembers no requests yet")
        if answer.status != http.client.OK:
            raise NoSamplesError(f"{settings.rehearsal_address} answered {answer.status}")

        def in_time(size: int) -> bytes:
            if time.monotonic() > deadline:
                raise NoSamplesError(f"{settings.rehearsal_address} took longer than a second")
            return answer.read(size)

        return wire.read(in_time, room)
