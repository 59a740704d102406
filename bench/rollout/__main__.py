"""`python -m bench.rollout`: how long it takes from an alias that moves to the answers.

On the cluster, brought up for it where it is not there. Prints the tables and writes them with a
plot into docs/ (rollout-bench.md, .json and .svg). Of kinds of moves that were not asked for, what
was measured before stays, with its date.
"""

import argparse
import datetime
import json
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from bench.rollout import packages, plot, report, timeline
from bench.rollout.bench import Bench
from bench.rollout.by_hand import ByHand
from bench.rollout.followed import POLL_SECONDS, Followed, follow_by
from bench.rollout.sightings import Sightings
from pennant_dev.demo import setup
from pennant_dev.demo.__main__ import borrowed
from pennant_dev.demo.kube import Kube
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import DevError, eprint

PAGE = Path(__file__).with_name("page.md")
BUNDLE = "Bundle"  # spec.serving.environment


def main(words: Sequence[str]) -> int:
    """Measure, print and write; the exit code is 1 when one of Pennant's requests failed."""
    arguments = _arguments(words)
    try:
        with borrowed() as kube:
            setup.install_toolbox(kube)
            moves = _run(kube, arguments)
    except DevError as error:
        eprint(str(error))
        return 2
    run = report.Run(*_setting(), tuple(moves))
    print(report.markdown(report.Report((run,))))
    if arguments.write is not None:
        _write(_measured(arguments.write).with_run(run), arguments.write)
    return 1 if report.Report((run,)).failed else 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.rollout", description=__doc__)
    parser.add_argument("--webhook", type=int, default=20, help="moves with the webhook")
    parser.add_argument("--back", type=int, default=10, help="of which are taken back")
    parser.add_argument("--poll", type=int, default=6, help="moves by the poll alone")
    parser.add_argument("--bundle", type=int, default=5, help="with the bundle's own packages")
    parser.add_argument("--cache", type=int, default=5, help="with these, and a cache")
    parser.add_argument("--by-hand", type=int, default=5, help="moves of `mlflow models serve`")
    parser.add_argument(
        "--by-hand-bundle", type=int, default=5, help="likewise, with the bundle's own packages"
    )
    parser.add_argument("--write", type=Path, default=REPOSITORY / "docs", help="folder")
    parser.add_argument("--dry", dest="write", action="store_const", const=None, help="only print")
    return parser.parse_args(words)


def _run(kube: Kube, plan: argparse.Namespace) -> list[timeline.Move]:
    moves: list[timeline.Move] = []
    most = (plan.webhook + plan.poll, plan.bundle, plan.cache, plan.by_hand, plan.by_hand_bundle)
    with Sightings(kube) as sightings:
        bench = Bench(kube, sightings)
        bench.register(1 + max(most))
        try:
            # First, for a webhook that was taken away is not registered again at once.
            if plan.bundle + plan.cache + plan.by_hand_bundle:
                with packages.index(kube) as index:
                    _with_their_packages(bench, plan, index, moves)
            if plan.webhook + plan.poll:
                _followed(bench, plan, moves)
        finally:
            follow_by(kube, webhook=False)
            kube.apply(setup.MANIFESTS / "demo" / "registry")
        _by_hand(ByHand(bench), plan.by_hand, moves)
        if sightings.blind:
            raise DevError("a watch or a log ended during the run: moments may be missing")
    return moves


def _followed(bench: Bench, plan: argparse.Namespace, moves: list[timeline.Move]) -> None:
    followed, version = Followed(bench), 1
    follow_by(bench.kube, webhook=True)
    with followed.serving() as traffic:
        for number in range(plan.webhook):
            before, version = followed.version, version + 1
            moves.append(_printed(followed.move(traffic, timeline.WEBHOOK, version, wait=1)))
            if number < plan.back:
                moves.append(_printed(followed.back(traffic, before)))
        follow_by(bench.kube, webhook=False)
        for _ in range(plan.poll):
            version += 1
            moves.append(_printed(followed.move(traffic, timeline.POLL, version, POLL_SECONDS)))


def _with_their_packages(
    bench: Bench, plan: argparse.Namespace, index: str, moves: list[timeline.Move]
) -> None:
    follow_by(bench.kube, webhook=True, index=index)
    if plan.bundle:
        bundled = Followed(bench, "bundled", environment=BUNDLE)
        _moved(bundled, timeline.BUNDLE, plan.bundle, moves)
    if plan.cache:
        with packages.claim(bench.kube) as claim:
            storage = {"cache": {"claimName": claim, "maxSize": "1900Mi"}}
            cached = Followed(bench, "cached", environment=BUNDLE, storage=storage)
            _moved(cached, timeline.CACHE, plan.cache, moves)
    _by_hand(ByHand(bench, index), plan.by_hand_bundle, moves)


def _moved(followed: Followed, kind: str, count: int, moves: list[timeline.Move]) -> None:
    with followed.serving() as traffic:
        for version in range(2, 2 + count):
            moves += [_printed(followed.move(traffic, kind, version, wait=1))]


def _by_hand(hand: ByHand, count: int, moves: list[timeline.Move]) -> None:
    if count:
        with hand.serving() as traffic:
            moves += [_printed(hand.move(traffic, 2 + number)) for number in range(count)]


def _printed(move: timeline.Move) -> timeline.Move:
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in move.parts.items())
    old = ", ".join(f"{k} {s:.2f}" for k, s in move.last_old.items() if s is not None)
    eprint(f"{move.kind}: {move.total:.2f} s ({parts}); last old: {old}; {move.failed} failed")
    return move


def _setting() -> tuple[str, str, str]:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    command = shlex.join(["python", "-m", "bench.rollout", *sys.argv[1:]])
    machine = f"{len(models)} cores of {models[0] if models else platform.machine()}"
    return (
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        command,
        f"{machine}, Linux {platform.release()}, with the whole cluster, MLflow and clients on it",
    )


def _measured(folder: Path) -> report.Report:
    """Before this run."""
    numbers = folder / "rollout-bench.json"
    if not numbers.exists():
        return report.Report(())
    return msgspec.json.decode(numbers.read_bytes(), type=report.Report)


def _write(result: report.Report, folder: Path) -> None:
    page = folder / "rollout-bench.md"
    page.write_text(f"{PAGE.read_text()}\n{report.markdown(result)}")
    page.with_suffix(".json").write_text(json.dumps(asdict(result), indent=1) + "\n")
    page.with_suffix(".svg").write_text(plot.draw(result))
    eprint(f"written: {page}, .json and .svg")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
