"""kstatus itself, as a process that is asked object by object (dev/programs/kstatus)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pennant_dev.binaries import ensure
from pennant_testing.truth.kstatus import Object, Verdict


@contextmanager
def kstatus() -> Iterator[Verdict]:
    """What it says of an object; RuntimeError when it has ended by itself, which says why."""
    program = ensure("kstatus")["kstatus"]
    pipe = subprocess.PIPE
    with subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asks, answers = process.stdin, process.stdout

        def verdict(obj: Object) -> str:
            asks.write(json.dumps(obj) + "\n")
            asks.flush()
            line = answers.readline().strip()
            if not line:
                raise RuntimeError(f"kstatus ended at {obj['metadata'].get('name')}")
            return line

        yield verdict
        asks.close()
