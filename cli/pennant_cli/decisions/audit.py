"""Whether the lines of an operator were changed, dropped or reordered, by their chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from typer import BadParameter

from pennant_cli.decisions.log_lines import LogLine
from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.record.chain import HEAD, line_digest


@dataclass(frozen=True)
class ChainedLine:
    """What the chain needs of a line."""

    file: str
    place: str
    before: Any
    digest: str


@dataclass
class ProcessChain:
    """The lines of one process of the operator, by their numbers."""

    name: str
    after: str | None = None  # the last line that its predecessor had told: process, number, hash
    lines: dict[int, ChainedLine] = field(default_factory=dict)
    last_in_file: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def add(self, number: int, line: ChainedLine) -> None:
        """The next line, in the order of the files."""
        known = self.lines.get(number)
        if known is not None and known.digest != line.digest:
            self.findings.append(f"{line.place}: line {number} is another one at {known.place}")
        if known is not None:
            return  # the same log, fetched twice
        above = self.last_in_file.get(line.file, 0)
        if number < above:
            self.findings.append(f"{line.place}: line {number} stands after line {above}")
        self.last_in_file[line.file] = max(number, above)
        self.lines[number] = line

    def verify(self) -> list[str]:
        """What is wrong with them; empty where nothing is."""
        return [*self.findings, *self._broken_links()]

    def _broken_links(self) -> Iterator[str]:
        expected = 1
        for number in sorted(self.lines):
            line = self.lines[number]
            if number > expected:
                missing = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
                yield f"{line.place}: before line {number}, line {missing} is missing"
            elif number > 1 and line.before != self.lines[number - 1].digest:
                place = self.lines[number - 1].place
                yield f"{place}: line {number - 1} was changed: line {number} followed another one"
            expected = number + 1


@dataclass(frozen=True)
class Audit:
    """What all lines together say."""

    processes: dict[str, ProcessChain]
    findings: list[str]
    heads: dict[str, str]  # those that were given: found, missing or changed

    @property
    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "whole": not self.findings,
            "findings": self.findings,
            "processes": [_summary(each) for each in self.processes.values()],
            "heads": self.heads,
        }

    @property
    def text(self) -> str:
        """For people."""
        lines = [
            f"process {each['process']}: lines {each['first']} to {each['last']}, the last with "
            f"sha256 {each['head']}"
            for each in map(_summary, self.processes.values())
        ]
        lines += [f"head {head}: {result}" for head, result in self.heads.items()]
        result = self.findings or ["nothing was changed, dropped or reordered"]
        return "\n".join([*lines, *result])


def _summary(process: ProcessChain) -> dict[str, Any]:
    first, last = min(process.lines), max(process.lines)
    return {
        "process": process.name,
        "first": first,
        "last": last,
        "head": process.lines[last].digest,
    }


def _lost_ends(process: ProcessChain, processes: dict[str, ProcessChain]) -> Iterator[str]:
    """What it knows of the end of the process before, and is not so."""
    head = HEAD.fullmatch(str(process.after))
    before = processes.get(head[1]) if head is not None else None
    if head is None or before is None:
        return
    number, last = int(head[2]), max(before.lines)
    place = before.lines[min(number, last)].place if min(number, last) in before.lines else ""
    if number > last:
        yield f"{place}: after line {last}, line {last + 1} to {number} is missing"
    elif place and before.lines[number].digest != head[3]:
        yield f"{place}: line {number} was changed: process {process.name} followed another one"


def check_heads(texts: Iterable[str]) -> None:
    """Of --head; raises BadParameter."""
    for text in texts:
        if HEAD.fullmatch(text) is None:
            raise BadParameter(f"--head: {text!r} is no head: write PROCESS/LINE/SHA256")


def _look_for(head: str, processes: dict[str, ProcessChain]) -> tuple[str, str | None]:
    """What became of a line that is known from elsewhere, and what is wrong where it is not so."""
    name, number, digest = head.split("/")
    line = processes[name].lines.get(int(number)) if name in processes else None
    if line is None:
        return "missing", f"line {number} of process {name} is missing, whose head was given"
    if line.digest != digest:
        return "changed", f"{line.place}: line {number} was changed, or one before it: see its head"
    return "found", None


def audit(lines: Iterable[LogLine], heads: Iterable[str] = ()) -> Audit:
    """Follow the chain of every process. What came after the last line here nobody can know,
    but for `heads`, each of a line that was there once (HEAD).

    Raises CommandError where there are none.
    """
    processes: dict[str, ProcessChain] = {}
    findings: list[str] = []
    for line in lines:
        name, number = line.value.get("process"), line.value.get("line")
        if not isinstance(name, str) or type(number) is not int or "before" not in line.value:
            findings.append(f"{line.place}: it is in no chain: it has no process, line or before")
            continue
        chained = ChainedLine(line.file, line.place, line.value["before"], line_digest(line.value))
        process = processes.setdefault(name, ProcessChain(name))
        process.add(number, chained)
        process.after = line.value.get("after", process.after)
    findings += [each for process in processes.values() for each in process.verify()]
    findings += [each for process in processes.values() for each in _lost_ends(process, processes)]
    if not processes and not findings:
        raise CommandError("there is no decision in these files: are they the operator's logs?")
    looked = {head: _look_for(head, processes) for head in heads}
    findings += [finding for _, finding in looked.values() if finding is not None]
    return Audit(processes, findings, {head: result for head, (result, _) in looked.items()})
