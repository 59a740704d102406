"""Commands that a page shows, each with what it prints."""

import re
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


class ShownCommand(NamedTuple):
    """One line of a shell, and the lines below it."""

    command: str
    output: str


def shown_commands(page: Path) -> list[ShownCommand]:
    """Those of all its console blocks, in order."""
    text = "".join(_BLOCK.findall(page.read_text()))
    parts = (part.partition("\n") for part in _PROMPT.split(text)[1:])
    return [ShownCommand(command, output) for command, _, output in parts]
