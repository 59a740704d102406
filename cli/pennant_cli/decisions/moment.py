"""What served at a moment, and why: by the lines alone, without cluster or registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from typer import BadParameter

from pennant_cli.decisions.log_lines import LogLine
from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.record.line import DECISION_EVENT
from pennant_operator.decide.record.mover import UNKNOWN

FORM = "2026-05-03T14:05"
# Of what else is said to have the traffic nothing came: it was decided again.
_CAME_ABOUT = ("done", "refused")  # of the latter the status tells what was announced instead


def _time(text: str) -> datetime:
    """In UTC where it says no zone; raises ValueError."""
    at = datetime.fromisoformat(text)
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError as error:  # of the year 1 or 9999
        raise ValueError(str(error)) from error


@dataclass
class Moment:
    """What was so of one ModelDeployment at a time; lines come in any order."""

    at: datetime
    name: str  # namespace/name
    decisions: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    def seeing(self, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """The very same lines, each of which is seen as it passes."""
        for line in lines:
            self._see(line.value)
            yield line

    def _see(self, line: dict[str, Any]) -> None:
        """One line; those of others, from later, and of what was not done, are passed over."""
        obj = line.get("object")
        if line["event"] != DECISION_EVENT or not isinstance(obj, dict):
            return
        if f"{obj.get('namespace')}/{obj.get('name')}" != self.name:
            return
        if line.get("result") not in _CAME_ABOUT:
            return
        try:
            time = _time(str(line.get("time")))
        except ValueError:
            return
        if time <= self.at:
            self.decisions.append((time, line))

    def answer(self) -> dict[str, Any]:
        """Version, digest, gates, and who moved it; raises CommandError where nothing is known."""
        if not self.decisions:
            raise CommandError(
                f"no decision about {self.name} is as old as {self.at.isoformat()}: give the logs "
                "from before that time, and the name as NAMESPACE/NAME"
            )
        lines = [line for _, line in sorted(self.decisions, key=lambda each: each[0])]
        last = lines[-1]
        serving = _mapping(last.get("serving"))
        version = serving.get("version")
        of_version = [line for line in lines if _seen(line).get("version") == version]
        return {
            "object": self.name,
            "at": self.at.isoformat(),
            "version": version,
            "revision": serving.get("revision"),
            "digest": serving.get("digest"),
            "movedBy": _last(_seen(line).get("movedBy") for line in of_version),
            "gates": next(
                (line["gates"] for line in of_version[::-1] if isinstance(line.get("gates"), list)),
                [],
            ),
            "verdict": _mapping(last.get("verdict")),
            "decided": last.get("time"),
        }


def asked(time: str, name: str) -> Moment:
    """What --at asks for; raises BadParameter."""
    try:
        at = _time(time)
    except ValueError:
        raise BadParameter(f"--at: {time!r} is no time: write for example {FORM}") from None
    if not all(name.partition("/")):
        raise BadParameter(f"--at: {name!r} names no ModelDeployment: write NAMESPACE/NAME")
    return Moment(at, name)


def _seen(line: dict[str, Any]) -> dict[str, Any]:
    return _mapping(line.get("seen"))


def _mapping(value: Any) -> dict[str, Any]:
    """What it is in a line that nobody has changed; else nothing."""
    return value if isinstance(value, dict) else {}


def _last(names: Iterable[Any]) -> str:
    known = [str(name) for name in names if name not in (None, UNKNOWN)]
    return known[-1] if known else UNKNOWN


def moment_text(answer: dict[str, Any]) -> str:
    """As people read it."""
    version, digest = answer["version"], answer["digest"]
    serves = f"version {version} served" if version else "nothing served"
    lines = [
        f"{answer['object']} at {answer['at']}: {serves}"
        + (f", sha256 {digest}" if digest else ""),
        f"moved by: {answer['movedBy']}",
    ]
    lines += [
        f"gate {gate.get('gate')}: {gate.get('result')} ({gate.get('value', 'no value')}, "
        f"{gate.get('bound', 'no bound')})"
        for gate in map(_mapping, answer["gates"])
    ]
    verdict = answer["verdict"]
    lines += [f"{verdict.get('summary')}: {verdict.get('message')}"] if verdict else []
    return "\n".join([*lines, f"by the decision of {answer['decided']}"])
