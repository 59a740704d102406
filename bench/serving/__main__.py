"""`python -m bench.serving`: our server and its peers, in turn, on one core.

Prints the tables and writes them with a plot into docs/ (serving-bench.md, .json and .svg).
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.serving import load, plot, report
from bench.serving.peers import PEERS, Peer
from bench.serving.rounds import in_turn
from bench.serving.run import Plan
from bench.serving.workload import make
from pennant_dev.binaries import ensure
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import DevError, eprint, run

PAGE = Path(__file__).with_name("page.md")


def main(words: Sequence[str]) -> int:
    """Measure, print and write; the exit code is 1 when requests failed."""
    arguments = _arguments(words)
    try:
        ensure("wrk")
        keep_to_the_load_generators_core()
        result = _run(arguments, _chosen(arguments.only))
    except DevError as error:
        eprint(str(error))
        return 2
    print(report.markdown(result))
    if arguments.write is not None:
        _write(result, arguments.write)
    return 1 if result.failed or result.unanswered else 0


def keep_to_the_load_generators_core() -> None:
    """Leave the other core to the server; end with it. Raises DevError when there is no other."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if len(os.sched_getaffinity(0)) < 2:
        raise DevError("two cores are needed: one for the server, one for the load generator")
    os.sched_setaffinity(0, {int(load.CORE)})


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--seconds", type=int, default=Plan.seconds, help="a point, in a round")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help="through all servers")
    parser.add_argument("--rows", type=int, nargs="+", default=Plan.rows, help="in a request")
    parser.add_argument("--connections", type=int, nargs="+", default=Plan.connections)
    parser.add_argument("--only", nargs="+", default=(), help="servers, by a part of their names")
    parser.add_argument("--write", type=Path, default=REPOSITORY / "docs", help="folder")
    parser.add_argument("--dry", dest="write", action="store_const", const=None, help="only print")
    return parser.parse_args(words)


def _chosen(parts: Sequence[str]) -> list[Peer]:
    peers = [peer for peer in PEERS if not parts or any(part in peer.name for part in parts)]
    if not peers:
        names = "; ".join(peer.name for peer in PEERS)
        raise DevError(f"--only {' '.join(parts)} names none of: {names}")
    return peers


def _run(arguments: argparse.Namespace, peers: list[Peer]) -> report.Report:
    plan = Plan(
        rows=tuple(arguments.rows),
        connections=tuple(arguments.connections),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
    )
    with tempfile.TemporaryDirectory(prefix="pennant-bench-") as scratch:
        workload = make(Path(scratch))
        results = in_turn(peers, workload, plan, Path(scratch))
    return report.Report(setting("bench.serving"), plan, tuple(results))


def setting(module: str) -> report.Setting:
    """When, where and how this is measured."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    version = run(["wrk", "--version"], check=False).split()
    return report.Setting(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=shlex.join(["python", "-m", module, *sys.argv[1:]]),
        machine=f"{len(models)} cores of {models[0] if models else platform.machine()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}; "
        "the server on one core, the load generator on another",
        generator=" ".join(version[:2]),
    )


def _write(result: report.Report, folder: Path) -> None:
    page = folder / "serving-bench.md"
    page.write_text(f"{PAGE.read_text()}\n{report.markdown(result)}")
    page.with_suffix(".json").write_text(json.dumps(report.to_json(result), indent=1) + "\n")
    page.with_suffix(".svg").write_text(plot.draw(result))
    eprint(f"written: {page}, .json and .svg")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
