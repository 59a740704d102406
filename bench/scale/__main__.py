"""`python -m bench.scale 100 1000 5000`: how Pennant behaves with that many ModelDeployments."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.scale.report import publish, table
from bench.scale.run import Figures, measure


def main(sizes: list[int]) -> None:
    """Measure each size, print the table, and put it into docs/scale.md."""
    found: list[Figures] = []
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="pennant-scale-"))
        try:
            found.append(measure(size, folder))
        finally:
            shutil.rmtree(folder)
        print(json.dumps(asdict(found[-1])), flush=True)
    print(table(found))
    publish(found, sizes)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100, 1000])
