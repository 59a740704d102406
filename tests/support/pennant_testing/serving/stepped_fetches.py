"""Fetches that share a cache: processes that go on a step at a time, in any order, and are killed
at any. A step leads to the next thing that is done to the file system.

    python -m pennant_testing.serving.stepped_fetches

reads a plan a line and writes a verdict a line: it forks, which no process with threads should.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pennant_serving.cache import locks
from pennant_serving.cache.settings import CacheSettings
from pennant_serving.environment.settings import BundleEnvironment, PackageIndexes
from pennant_serving.fetch import fetch, fetch_environment
from pennant_serving.lifecycle.phases import Phases
from pennant_testing.serving.fetch_settings import fetch_settings
from pennant_testing.serving.shared_cache import SharedCache, digest_of, write_source

PREFIXES = ("os.", "fcntl.", "shutil.", "open", "subprocess.")
READS = {"os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.putenv", "os.unsetenv"}
LAST_SOURCE = 9


@dataclass(frozen=True)
class Plan:
    """Who fetches what, and in which order they go on."""

    folder: Path
    bound: int
    actors: list[dict[str, Any]]
    """`source`; `known` where a tag says its digest; `wait` for others, in seconds."""
    turns: list[tuple[int, int, bool]]
    """Which actor, how many steps, and whether it is killed then."""
    old: list[dict[str, Any]]
    """Entries from before: `source`, `in_use`, `damaged`."""
    index: str = ""
    """Of packages, where environments are fetched, too."""

    def cache(self, source: int, wait: float = 300.0) -> CacheSettings:
        return CacheSettings(self.folder / "cache", self.bound, rollout=f"of-{source}", wait=wait)

    def work(self, pod: str, source: int, *, known: bool, wait: float) -> None:
        """A fetch; it ends with what was asked for, or not at all."""
        digest = (("the tag", digest_of(source, self.folder)),) if known else ()
        indexes = PackageIndexes((self.index,))
        settings = fetch_settings(
            f"pvc://artifacts/{source}",
            self.folder / pod,
            artifacts_path=self.folder / "claim",
            allowed_sources=("pvc://artifacts/",),
            expected_digests=digest,
            cache=self.cache(source, wait),
            environment=BundleEnvironment(indexes) if self.index else None,
        )
        fetch(settings)
        fetch_environment(settings, Phases())
        model = (settings.model_path / "model.pkl").read_bytes()
        assert model == (self.folder / "claim" / str(source) / "model.pkl").read_bytes()


class Actor:
    """A process that stops before each thing that it does to the file system."""

    def __init__(self, work: Callable[[], None]) -> None:
        proceed, self._go = os.pipe()
        self._stopped, stopped = os.pipe()
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _run(work, proceed, stopped)
        os.close(proceed)
        os.close(stopped)
        self._wait()

    def step(self) -> None:
        if self.code is None:
            os.write(self._go, b".")
            self._wait()

    def kill(self) -> None:
        if self.code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._end()

    def _wait(self) -> None:
        if not os.read(self._stopped, 1):
            self._end()

    def _end(self) -> None:
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._go)
        os.close(self._stopped)


def _run(work: Callable[[], None], proceed: int, stopped: int) -> None:
    os.setsid()  # what it starts is killed with it, as in a container
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(PREFIXES) and event not in READS and not _only_reads(event, args):
            os.write(stopped, b".")
            if not os.read(proceed, 1):
                os._exit(1)

    sys.addaudithook(hook)
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - the verdict shows it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _only_reads(event: str, args: tuple[Any, ...]) -> bool:
    return event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)


def verdict(plan: Plan) -> dict[str, Any]:
    """What was wrong at any time, and how many of the steps there were."""
    shared = SharedCache(plan.folder / "cache", plan.bound)
    _prepare(plan, shared)
    actors = [Actor(partial(plan.work, f"pod-{n}", **each)) for n, each in enumerate(plan.actors)]
    steps, killed = _played(plan, actors, shared)
    alive = [actor.code for n, actor in enumerate(actors) if n not in killed]
    shared.need(not any(alive), "a fetch failed that was not killed")
    for n in killed:  # the kubelet starts the container again, with the volume as it is
        afresh = _finished(partial(plan.work, f"pod-{n}", **plan.actors[n]))
        shared.need(afresh == 0, "a fetch failed after one that was killed")
    last = _finished(partial(plan.work, "last", LAST_SOURCE, known=False, wait=0))
    shared.need(last == 0, "the last fetch failed")
    shared.look()
    shared.need(not list((plan.folder / "cache" / "incoming").iterdir()), "incoming is not empty")
    shared.close()
    return {"wrong": shared.wrong, "steps": steps, "killed": len(killed)}


def _prepare(plan: Plan, shared: SharedCache) -> None:
    """All sources, and the entries from before."""
    sources = {each["source"] for each in (*plan.actors, *plan.old)} | {LAST_SOURCE}
    for source in sources:
        write_source(source, plan.folder, "alpha\n" if plan.index else "")
    for n, each in enumerate(plan.old):
        _finished(partial(plan.work, f"old-{n}", each["source"], known=False, wait=0))
        shared.age(digest_of(each["source"], plan.folder), each["in_use"], each["damaged"])
    shared.look()


def _played(plan: Plan, actors: list[Actor], shared: SharedCache) -> tuple[int, set[int]]:
    """Until all have ended: how many steps the plan's turns had, and who was killed."""
    steps, killed = 0, set()
    for n, turns, kill in plan.turns:
        for _ in range(turns):
            steps += actors[n].code is None
            actors[n].step()
            shared.look()
        if kill and actors[n].code is None:
            actors[n].kill()
            killed.add(n)
    while any(actor.code is None for actor in actors):
        for actor in actors:
            actor.step()
            shared.look()
    return steps, killed


def _finished(work: Callable[[], None]) -> int | None:
    """The exit code of one that goes on alone."""
    actor = Actor(work)
    while actor.code is None:
        actor.step()
    return actor.code


def main() -> None:
    locks.POLL_SECONDS = 0.001
    for line in sys.stdin:
        plan = json.loads(line)
        answer = verdict(Plan(**plan | {"folder": Path(plan["folder"])}))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
