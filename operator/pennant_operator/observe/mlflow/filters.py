"""Which registered models a search is about, in MLflow's filter language."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

FILTER_NAMES_LIMIT = 300  # models that one search names
# characters of a search's names: an nginx ingress takes 8 kB of request line
FILTER_CHARACTERS_LIMIT = 4000
IN_SINCE = (3, 17)  # the first server that understands `name IN (...)`
_QUOTABLE = re.compile(r"[^'\"\\`%]+")


def filters(models: Sequence[str]) -> Iterator[dict[str, str]]:
    """The filters that name these models, each short enough for a request line."""
    names, room = list[str](), FILTER_CHARACTERS_LIMIT
    for name in models:
        names.append(f"'{name}'")
        # A letter of another alphabet is six or nine characters.
        room -= len(quote(names[-1], safe="'"))
        if len(names) == FILTER_NAMES_LIMIT or room < 0:
            yield {"filter": f"name IN ({','.join(names)})"}
            names, room = [], FILTER_CHARACTERS_LIMIT
    if names:
        yield {"filter": f"name IN ({','.join(names)})"}


def named(model: str) -> dict[str, str]:
    """The filter for everything of one model; its name must be `quotable`."""
    return {"filter": f"name='{model}'"}


def quotable(model: str) -> bool:
    """Whether a name can stand in a filter; MLflow's filters know no escape, and no line break."""
    return _QUOTABLE.fullmatch(model) is not None and model.isprintable()


def understands_in(server_version: str) -> bool:
    """Whether a server of this version takes `name IN (...)`."""
    return server_release(server_version) >= IN_SINCE


def server_release(server_version: str) -> tuple[int, int]:
    """Major and minor number; 0, 0 when a server does not say."""
    numbers = re.match(r"(\d+)\.(\d+)", server_version)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
