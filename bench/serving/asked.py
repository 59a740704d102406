"""The requests of one load, on disk for the load generator, and what is right to answer them."""

from dataclasses import dataclass
from pathlib import Path

from bench.serving.protocols import Protocol
from bench.serving.server import Server
from bench.serving.workload import Workload
from pennant_dev.shell import DevError


@dataclass(frozen=True)
class Asked:
    """Requests of so many rows in one protocol."""

    protocol: Protocol
    bodies: list[bytes]
    expected: list[list[int]]
    folder: Path
    """Holds body-N and, once learnt, right-N."""

    def first_right(self, server: Server) -> float:
        """Seconds from the start of the process to its first answer; DevError if that is wrong."""
        seconds, answer = server.first_answer(self.protocol.path, self.bodies[0])
        self._check(0, answer)
        return seconds

    def learn(self, server: Server) -> None:
        """Ask each once, for the bytes that are right. DevError where a prediction is wrong."""
        for number, body in enumerate(self.bodies):
            answer = server.ask(self.protocol.path, body)
            if answer is None:
                raise DevError(f"request {number} was not answered with 200")
            self._check(number, answer)
            (self.folder / f"right-{number}").write_bytes(answer)

    def _check(self, number: int, answer: bytes) -> None:
        try:
            predicted = self.protocol.read(answer)
        except ValueError as error:
            raise DevError(f"request {number}: {error}") from error
        if predicted != self.expected[number]:
            raise DevError(
                f"request {number} was answered {predicted}, not {self.expected[number]}"
            )


@dataclass(frozen=True)
class Unchecked(Asked):
    """The same requests to something that predicts nothing: any answer will do."""

    def learn(self, server: Server) -> None:
        """There is nothing to compare with."""

    def _check(self, number: int, answer: bytes) -> None:
        pass


def write(
    protocol: Protocol, workload: Workload, folder: Path, rows: int, *, checked: bool
) -> Asked:
    """Put the requests of `rows` rows into a new folder."""
    folder.mkdir()
    batches = workload.rows(rows)
    bodies = [protocol.request(batch, str(number)) for number, batch in enumerate(batches)]
    for number, body in enumerate(bodies):
        (folder / f"body-{number}").write_bytes(body)
    expected = [workload.answers(batch) for batch in batches]
    return (Asked if checked else Unchecked)(protocol, bodies, expected, folder)
