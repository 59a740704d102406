"""Several rounds through all servers: a machine that is slower for a while is so for everybody."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.serving.load import Load
from bench.serving.peers import Peer
from bench.serving.run import Plan, Point, Result, measure
from bench.serving.workload import Workload
from pennant_dev.shell import eprint


def in_turn(peers: Sequence[Peer], workload: Workload, plan: Plan, folder: Path) -> list[Result]:
    """Each server once in each round, in the order of `peers`."""
    rounds: list[list[Result]] = []
    for number in range(plan.rounds):
        eprint(f"round {number + 1} of {plan.rounds}")
        home = folder / f"round-{number}"
        home.mkdir(parents=True)
        rounds.append([measure(p, workload, plan, home / str(n)) for n, p in enumerate(peers)])
    return [combined(each) for each in zip(*rounds, strict=True)]


def combined(rounds: Sequence[Result]) -> Result:
    """One server's rounds as one: its best start, and the round that weighed most.

    What went wrong in any of them went wrong.
    """
    trouble = next((each for each in rounds if each.trouble), None)
    if trouble is not None:
        return trouble
    best = min(rounds, key=lambda each: each.start or 0)
    heaviest = max(rounds, key=lambda each: each.loaded.pss if each.loaded else 0)
    points = (_together(each) for each in zip(*(each.points for each in rounds), strict=True))
    return replace(best, idle=heaviest.idle, loaded=heaviest.loaded, points=tuple(points))


def _together(points: Sequence[Point]) -> Point:
    """All requests of all rounds; of the percentiles the median round's."""
    loads = [point.load for point in points]
    return replace(
        points[0],
        load=Load(
            requests=sum(each.requests for each in loads),
            failed=sum(each.failed for each in loads),
            seconds=sum(each.seconds for each in loads),
            p50=median(each.p50 for each in loads),
            p99=median(each.p99 for each in loads),
            busy=max(each.busy for each in loads),
        ),
    )
