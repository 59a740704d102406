"""`pennant promote`, `rollback` and `history`: moves of an alias, and what is recorded of them."""

from __future__ import annotations

from typing import Any

from pennant_cli.output import Format, show, table
from pennant_cli.pointer_names import PointerName
from pennant_registry.hold_form import one_line, time_text
from pennant_registry.moments import Moment
from pennant_registry.moves import Move

LINE = 200  # characters of what somebody wrote


def show_move(move: Move, of: PointerName, form: Format) -> None:
    """One that was just made."""
    before = "it held none before" if move.previous is None else f"before: version {move.previous}"
    text = f"{of}: version {move.version} ({before})"
    if move.override:
        text += f"; overridden: {one_line(move.override, LINE)}"
    if move.is_rollback:
        text += (
            f"\nversion {move.previous} is on hold; to let it go out: "
            f"pennant release {of.written} --version {move.previous}"
        )
    show({"model": of.model, **of.named, **plain(move)}, form, text)


def show_moves(moves: list[Move], of: PointerName, form: Format) -> None:
    """Newest first."""
    text = table(
        ("TIME", "VERSION", "BEFORE", "BY", "WHAT"),
        [
            (
                time_text(move.at),
                str(move.version),
                str(move.previous or "-"),
                one_line(move.by, LINE),
                _what(move),
            )
            for move in moves
        ],
    )
    nothing = f"no move of {of} is recorded: moves by MLflow's own means leave no record"
    show([plain(move) for move in moves], form, text if moves else nothing)


def show_moment(known: Moment, of: PointerName, form: Format) -> None:
    """What is known of one."""
    move = known.move
    which = "no version that is known of" if known.version is None else f"version {known.version}"
    lines = [f"{of} at {time_text(known.at)}: {which}"]
    if move is not None:
        lines.append(f"{_what(move)} by {one_line(move.by, LINE)}, {time_text(move.at)}")
    lines += [f"served at {place}: version {number}" for place, number in known.served.items()]
    lines += [f"served at {place}: not known" for place in known.not_known]
    if known.doubt is not None:
        lines.append(f"in doubt: {known.doubt}")
    facts = {
        "model": of.model,
        **of.named,
        "at": time_text(known.at),
        "version": known.version,
        "move": None if move is None else plain(move),
        "doubt": known.doubt,
        "served": dict(known.served),
        "not_known": [*known.not_known],
    }
    show(facts, form, "\n".join(lines))


def plain(move: Move) -> dict[str, Any]:
    """As data."""
    return {
        "version": move.version,
        "previous": move.previous,
        "by": move.by,
        "at": time_text(move.at),
        "rollback": move.is_rollback,
        "override": move.override,
    }


def _what(move: Move) -> str:
    if move.is_rollback:
        return "rolled back"
    return f"promoted: {one_line(move.override, LINE)}" if move.override else "promoted"
