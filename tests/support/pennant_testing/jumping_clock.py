"""An event loop whose clock jumps to whatever is due next: no test waits for real time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, the time that would have been waited has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.passed += timeout
        return super().select(0)


def at_once(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, and cancel what it leaves running."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        runner.run(scenario)


class _JumpingLoop(asyncio.SelectorEventLoop):
    """Its time is what has passed for its selector."""

    def __init__(self) -> None:
        self._jumps = _JumpingSelector()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.passed
