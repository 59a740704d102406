"""`python -m bench.serving.servers`: HTTP servers for Python under the same two applications.

One after the other on one core, asked from another; the tables go into docs/http-servers.md. The
last line is our server around a model that does nothing: uvicorn's connections with our own lane
in place of ASGI, and all that we do for a request besides.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.serving.__main__ import keep_to_the_load_generators_core, setting
from bench.serving.peers import APPS, LOCKS, OUR_OWN, Command, Peer, Site, serving
from bench.serving.protocols import V2
from bench.serving.report import Setting
from bench.serving.rounds import in_turn
from bench.serving.run import Plan, Result
from bench.serving.workload import make
from pennant_dev.binaries import ensure
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import DevError, eprint

PAGE = Path(__file__).with_name("servers.md")
PLAN = Plan(rows=(1,), seconds=1)
BARE, ECHO = "the same bytes for every request", "the request decoded and sent back"


def _uvicorn(site: Site) -> list[str | Path]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--lifespan", "off"]
    return [site.python, "-m", "uvicorn", *_address(site), *options, "asgi:app"]


def _granian(site: Site) -> list[str | Path]:
    # Its default interface is its own: an ASGI application answers 500 there.
    options = ["--interface", "asginl", "--loop", "uvloop", "--http", "1", "--no-ws"]
    return [site.python, "-m", "granian", *_address(site), *options, "asgi:app"]


def _hypercorn(site: Site) -> list[str | Path]:
    options = ["--bind", f"127.0.0.1:{site.port}", "--worker-class", "uvloop"]
    return [site.python, "-m", "hypercorn", *options, "asgi:app"]


def _address(site: Site) -> list[str]:
    return ["--host", "127.0.0.1", "--port", str(site.port)]


SERVERS = {"uvicorn": _uvicorn, "granian": _granian, "hypercorn": _hypercorn}


def peers(*, echo: bool) -> list[Peer]:
    """Those that run one of the two applications."""
    chosen = [
        Peer(name, "servers", LOCKS / "servers.txt", (name,), V2,
             partial(_server, words, echo=echo), checked=False)
        for name, words in SERVERS.items()
    ]  # fmt: skip
    if echo:
        chosen.append(Peer("ours", *OUR_OWN, V2, _ours, checked=False))
    return chosen


def _server(words: Callable[[Site], list[str | Path]], site: Site, *, echo: bool) -> Command:
    variables = {"PYTHONPATH": str(APPS)} | ({"BENCH_ECHO": "yes"} if echo else {})
    return Command(words(site), variables)


def _ours(site: Site) -> Command:
    command = serving(site)
    more = {"PENNANT_ADAPTER": "echo_adapter:Echo", "PYTHONPATH": f"{site.workload.code}:{APPS}"}
    return Command(command.argv, command.environment | more)


def main(words: Sequence[str]) -> int:
    """Measure, print and write; the exit code is 1 when requests failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving.servers", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="only print")
    arguments = parser.parse_args(words)
    try:
        ensure("wrk")
        keep_to_the_load_generators_core()
        tables = _measured()
    except DevError as error:
        eprint(str(error))
        return 2
    page = markdown(setting("bench.serving.servers"), tables)
    print(page)
    if not arguments.dry:
        (REPOSITORY / "docs" / "http-servers.md").write_text(f"{PAGE.read_text()}\n{page}")
    results = [result for table in tables.values() for result in table]
    return int(any(r.trouble or any(p.load.failed for p in r.points) for r in results))


def _measured() -> dict[str, list[Result]]:
    with tempfile.TemporaryDirectory(prefix="pennant-bench-") as scratch:
        workload = make(Path(scratch))
        return {
            name: in_turn(peers(echo=echo), workload, PLAN, Path(scratch) / name.split()[1])
            for name, echo in ((BARE, False), (ECHO, True))
        }


def markdown(measured: Setting, tables: dict[str, list[Result]]) -> str:
    """A table for each application."""
    lines = [f"- {measured.date}, `{measured.command}`: {PLAN}", f"- {measured.machine}",
             f"- {measured.generator}", ""]  # fmt: skip
    heads = " | ".join(f"{connections} conn." for connections in PLAN.connections)
    for name, results in tables.items():
        lines += [f"{name.capitalize()}: requests per second, and p99 in ms:", ""]
        lines += [f"| server | {heads} | MiB |", "|---" * (len(PLAN.connections) + 2) + "|"]
        lines += [*map(_row, results), ""]
    return "\n".join(lines)


def _row(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    cells = [f"{result.name}<br><small>{versions}</small>"]
    for connections in PLAN.connections:
        load = result.at(1, connections)
        cells.append(f"{load.rate:,.0f}, {load.p99:.1f}" if load else result.trouble or "-")
    cells.append(f"{result.loaded.pss:.0f}" if result.loaded else "-")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
