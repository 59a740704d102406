"""`pennant hold` and `release`: what they print."""

from __future__ import annotations

from pennant_cli.output import Format, show
from pennant_cli.pointer_names import PointerName
from pennant_registry.hold_form import Hold, time_text


def show_hold(on: Hold, of: PointerName, form: Format, *, released: bool = False) -> None:
    """One that was just made, or has just ended."""
    what = f"{of}" if on.version is None else f"version {on.version} for {of}"
    text = f"{what}: no more {on}" if released else f"{what}: {on}"
    facts = {
        "model": of.model,
        **of.named,
        "version": None if on.version is None else int(on.version),
        "reason": on.reason,
        "by": on.by,
        "since": time_text(on.since) if on.since else None,
        "until": time_text(on.until) if on.until else None,
        "released": released,
    }
    show(facts, form, text)
