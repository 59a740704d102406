"""Train, evaluate, register, gate, promote: what a Job runs, or a person to move the alias.

python -m newsreco.pipeline [--marker TEXT] [--mind FOLDER] [--users N] [--no-promote]
                            [--broken load|answers]
python -m newsreco.pipeline promote VERSION [--override WHY]
python -m newsreco.pipeline rollback [--reason WHY]
python -m newsreco.pipeline hold WHY [--until TIME] [--version VERSION]
python -m newsreco.pipeline release [--version VERSION]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from newsreco import registry, train
from newsreco.broken import Broken
from newsreco.bundle import recommend
from newsreco.config import Config
from pennant_registry import RegistryError

SAMPLE_USER, SAMPLE_SIZE = "U106", 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 1 and one line on stderr when the registry or a gate says no."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "promote":
            _promote(chosen.version, Config.from_env(), chosen.override)
        elif chosen.command == "rollback":
            _roll_back(chosen.reason)
        elif chosen.command == "hold":
            _hold(chosen.why, chosen.until, chosen.version)
        elif chosen.command == "release":
            _release(chosen.version)
        else:
            _pipeline(_config(chosen), promote=chosen.promote, broken=chosen.broken)
    except RegistryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _pipeline(cfg: Config, *, promote: bool, broken: Broken | None) -> None:
    trained = train.run(cfg, broken=broken)
    print(train.report(trained))
    print(f"latest run: {trained.run_id}")
    version = registry.register(trained.run_id)
    print(f"registered version: {version}")
    if not promote:
        return
    _promote(version, cfg)
    if broken is None:
        _show_production()


def _promote(version: int, cfg: Config, override: str | None = None) -> None:
    """Only what is good enough, and no worse than what is in production."""
    least, drop = f"{cfg.min_ndcg_at_10:.6f}", f"{cfg.max_ndcg_at_10_drop:.6f}"
    gates = {"metrics": [{"name": "ndcg_at_10", "min": least, "maxDrop": drop}]}
    registry.promote(version, gates=gates, override=override)
    print(f"promoted version {version} to alias '{registry.ALIAS}'")


def _roll_back(reason: str) -> None:
    move = registry.rollback(reason=reason)
    print(f"rolled back alias '{registry.ALIAS}' from version {move.previous} to {move.version}")


def _hold(why: str, until: datetime | None, version: int | None) -> None:
    hold = registry.hold(why, until, version=version)
    print(f"{_title(version)} is {hold}")


def _release(version: int | None) -> None:
    hold = registry.release(version=version)
    print(f"released {_title(version)}, which was {hold}")


def _title(version: int | None) -> str:
    return f"alias '{registry.ALIAS}'" if version is None else f"version {version}"


def _show_production() -> None:
    model = registry.load_production()
    if model is None:
        raise RegistryError(f"alias {registry.ALIAS} was removed while this ran: promote again")
    count, has_ranker = len(model["recommender"].articles), model["ranker"] is not None
    print(f"loaded production model -> {count} articles, ranker: {has_ranker}")
    print(f"sample rec for {SAMPLE_USER}: {recommend(model, SAMPLE_USER, SAMPLE_SIZE)}")


def _config(chosen: argparse.Namespace) -> Config:
    cfg = replace(Config.from_env(), model_file=None)  # the registry is where it goes
    if chosen.marker is not None:
        cfg = replace(cfg, marker=chosen.marker)
    if chosen.users is not None:
        cfg = replace(cfg, users=chosen.users)
    return replace(cfg, mind=chosen.mind) if chosen.mind else cfg


def _time(text: str) -> datetime:
    """As argparse wants it: a time without a zone is one of this machine's."""
    return datetime.fromisoformat(text).astimezone()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="newsreco.pipeline", description=__doc__.split("\n")[0])
    parser.add_argument("--marker", help="text that comes back in every answer of this model")
    parser.add_argument("--mind", type=Path, help="a MIND folder instead of generated data")
    parser.add_argument("--users", type=int, help="readers in generated data; few: a worse model")
    parser.add_argument("--no-promote", dest="promote", action="store_false")
    parser.add_argument(
        "--broken", choices=get_args(Broken), help="a version that does not load, or answer, well"
    )
    commands = parser.add_subparsers(dest="command")
    promote = commands.add_parser("promote", help="point the alias at a registered version")
    promote.add_argument("version", type=int)
    promote.add_argument("--override", metavar="WHY", help="although its gates refuse it")
    rollback = commands.add_parser("rollback", help="point the alias back at the version before")
    rollback.add_argument("--reason", metavar="WHY", default="rolled back", help="for who asks")
    hold = commands.add_parser("hold", help="nothing new is promoted or rolled out")
    hold.add_argument("why")
    hold.add_argument(
        "--until", type=_time, metavar="TIME", help="such as 2026-12-01T08:00:00Z; else release"
    )
    release = commands.add_parser("release", help="end a hold")
    for command in (hold, release):
        command.add_argument("--version", type=int, help="this one only; others go out")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
