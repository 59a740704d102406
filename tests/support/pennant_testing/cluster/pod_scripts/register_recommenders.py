"""Runs in the toolbox pod: registers recommenders that answer with a marker of their own, and one
that cannot be loaded; prints version -> marker.
"""

import json
import sys
from dataclasses import replace

from newsreco import registry, train
from newsreco.broken import Broken
from newsreco.config import Config

MARKERS: dict[str, Broken | None] = {"first": None, "second": None, "broken": "load"}


def main(model: str) -> None:
    made = {}
    for marker, broken in MARKERS.items():
        config = replace(Config.from_env(), experiment=model, model_file=None, marker=marker)
        run = train.run(config, broken=broken).run_id
        made[str(registry.register(run, name=model))] = marker
    print(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1])
