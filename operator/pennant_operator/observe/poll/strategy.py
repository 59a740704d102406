"""How to ask a registry about models with the fewest and cheapest requests.

As measured with MLflow 3 on sqlite, up to 5,000 models of three versions, in processor time of the
server: one model costs about 9 ms; a search 10 ms and half a millisecond for each model that it
names; a walk through a whole registry 0.4 ms for each model there is, for it has no names to parse.
All of 5,000 models are 2.7 s in 50 searches for 100 names each, 2.4 s in 17 for 300, and 2.1 s in 6
pages; where a request is dear by itself (basic authentication without a cache: 0.4 s) a walk saves
the more.

MLflow tells nobody how many models it has, only a walk does: so one is tried and given up when it
has cost more than it can save, and what was seen until then is remembered. MLflow knows no "changed
since" and no conditional request, and walks of a part of a registry by a tag would need somebody to
tag what is watched.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pennant_operator.observe.mlflow.filters import (
    FILTER_NAMES_LIMIT,
    quotable,
    server_release,
    understands_in,
)

ASKED_SINGLY_LIMIT = 3  # models up to which asking for each by itself is the cheapest
# A walk through this many models costs a server as much as asking for one of them: by itself
WALK_WORTH = 18
WALK_WORTH_2 = 4  # MLflow 2 walks slower
WALK_WORTH_NAMED = 1.1  # in a search with others


@dataclass(frozen=True)
class Strategy:
    """One request for each of `singly`, and searches for `listed`, or a walk through all there are.

    `walk` is how many models that may go through before another way is cheaper; 0: no walk.
    """

    singly: frozenset[str]
    listed: tuple[str, ...] = ()
    walk: int = 0


def strategy(models: Iterable[str], server_version: str, size: int) -> Strategy:
    """How to ask for these; `size` is how many models the registry has at least, 0 if unknown."""
    names = frozenset(models)
    listed = tuple(sorted(name for name in names if quotable(name)))
    others = names.difference(listed)
    by_name = understands_in(server_version)
    walk = int(len(listed) * _worth(server_version))
    if len(listed) <= ASKED_SINGLY_LIMIT:
        return Strategy(names)
    if size <= walk and not (by_name and len(listed) <= FILTER_NAMES_LIMIT):
        return Strategy(others, listed, walk)
    return Strategy(others, listed) if by_name else Strategy(names)


def _worth(server_version: str) -> float:
    if understands_in(server_version):
        return WALK_WORTH_NAMED
    return WALK_WORTH_2 if server_release(server_version) < (3, 0) else WALK_WORTH
