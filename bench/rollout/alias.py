"""Runs in a pod: points an alias at a version; prints when the request was sent, Unix seconds.

    python -c ... MODEL ALIAS VERSION

Without MLflow's client, whose import takes longer than a rollout may.
"""

import json
import os
import sys
import time
import urllib.request

PATH = "/api/2.0/mlflow/registered-models/alias"


def main(name: str, alias: str, version: str) -> None:
    """One request."""
    url = os.environ["MLFLOW_TRACKING_URI"] + PATH  # noqa: TID251 - a program of its own
    body = json.dumps({"name": name, "alias": alias, "version": version}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    asked = time.time()
    urllib.request.urlopen(request, timeout=10).close()
    print(asked)


if __name__ == "__main__":
    main(*sys.argv[1:])
