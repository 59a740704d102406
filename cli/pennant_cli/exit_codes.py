"""How a command ends. The table is in docs/cli.md, and in the package's own docstring."""

from __future__ import annotations

from enum import IntEnum

from pennant_registry.errors import (
    GateRefusedError,
    InvalidNameError,
    OnHoldError,
    RolloutHeldError,
    RolloutRejectedError,
)


class ExitCode(IntEnum):
    """Of the process."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3


class CommandError(Exception):
    """What a command could not do: the message says why, and what to do next."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def exit_code(error: Exception) -> ExitCode:
    """Of an error of ours: whether it was refused, could not be done, or wrongly asked for."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, _REFUSALS):
        return ExitCode.REFUSED
    return ExitCode.USAGE if isinstance(error, InvalidNameError) else ExitCode.FAILED


_REFUSALS = (GateRefusedError, OnHoldError, RolloutHeldError, RolloutRejectedError)
