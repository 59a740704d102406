"""Runs in the toolbox pod: registers a version for each row of this tier; prints name -> number.

A bundle is an MLflow model whose pickle holds one Python expression: unpickling evaluates it, and
that is all a pickle can do to a serving pod. Two of them are touched again after registering.
"""

import json
import pickle
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

import pennant_registry

EXAMPLE = "serving_input_example.json"
MLMODEL = f"""
flavors:
  sklearn: {{pickled_model: model.pkl, serialization_format: pickle}}
saved_input_example_info: {{serving_input_path: {EXAMPLE}}}
"""
ANSWERS = "type('Model', (), {{'predict': lambda self, rows: {}}})()"
GOOD = ANSWERS.format("[0.0 for _ in rows]")
# A call of C that keeps the interpreter's lock: nothing else of the process runs meanwhile.
HOLDS_THE_LOCK = "__import__('ctypes').PyDLL(None).sleep(75)"
CRASHES = "__import__('threading').Timer(40, lambda: __import__('os')._exit(3)).start()"

# What a model may not find, and places that it may not write to. It says what it got by failing.
HOSTILE = """
import glob, json, os
found = [name for name in os.environ if name.startswith(("MLFLOW_TRACKING_", "AWS_"))]
found += glob.glob("/var/run/secrets/kubernetes.io/serviceaccount/*")
for path in glob.glob("/proc/[0-9]*/environ"):
    if b"stolen" in open(path, "rb").read():
        found.append(path)
folders = ("", "/app", "/etc", "/models", "/models/bundle", "/venv/bin", "/root", "/home", "/dev")
for folder in folders:
    os.system(f"touch {folder}/by-hostile 2>/dev/null")
written = [folder for folder in folders if os.path.exists(f"{folder}/by-hostile")]
for path in ("/models/bundle/MLmodel", "/models/manifest.json", "/etc/passwd"):
    os.system(f"chmod 666 {path} 2>/dev/null; echo changed >> {path} 2>/dev/null")
    if "changed" in open(path).read():
        written.append(path)
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
got = {"found": found, "written": written, "user": os.getuid(), "groups": os.getgroups()}
got |= {"powers": int(status["CapEff"], 16), "may gain more": status["NoNewPrivs"].strip() == "0"}
raise RuntimeError(json.dumps(got))
"""

EXPRESSIONS = {
    "good": GOOD,
    "better": GOOD,
    "hostile": f"exec({HOSTILE!r}, {{}})",
    "changed": GOOD,
    "gone": GOOD,
    "fails-its-self-test": ANSWERS.format("rows.missing"),
    "hangs-in-its-self-test": ANSWERS.format("__import__('time').sleep(3600)"),
    "fills-its-disk": ANSWERS.format(
        "[open('/tmp/full', 'wb').write(b'x' * (64 << 20)), __import__('time').sleep(3600)]"
    ),
    "out-of-memory": "b'x' * (1 << 30)",
    "crashes-after-ready": f"({CRASHES}, {GOOD})[1]",
    "holds-the-lock": f"({HOLDS_THE_LOCK}, {GOOD})[1]",
    "never-ready": GOOD,
    "fragile": f"1 / 0 if __import__('os').path.exists('/tmp/broken') else {GOOD}",
    "climbs": GOOD,
    "truncated": GOOD,
    "unreadable": GOOD,
    "lacks-a-package": GOOD,
}


class Expression:
    """Pickles as the evaluation of a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, (self.text,)


def write(name: str, folder: Path) -> None:
    """The bundle of a row."""
    whole = pickle.dumps(Expression(EXPRESSIONS[name]))
    (folder / "model.pkl").write_bytes(whole)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / EXAMPLE).write_text('{"inputs": [[1.0, 2.0]]}')
    if name != "never-ready":
        (folder / "healthy").write_text("a server of the user's own may look for this\n")
    if name == "truncated":
        (folder / "model.pkl").write_bytes(whole[: len(whole) // 2])
    if name == "unreadable":
        (folder / "MLmodel").write_text("<html>Please log in</html>")
    if name == "lacks-a-package":
        (folder / "model.pkl").write_bytes(b"clightgbm.sklearn\nLGBMClassifier\n.")
        (folder / "requirements.txt").write_text("numpy\nlightgbm==4.6.0\n")


def register(client: MlflowClient, experiment: str, model: str, name: str) -> str:
    """Log and register the bundle of a row; its version."""
    run = client.create_run(experiment)
    with tempfile.TemporaryDirectory() as folder:
        write(name, Path(folder))
        client.log_artifacts(run.info.run_id, folder, "model")
    if name == "climbs":
        put(f"{run.info.artifact_uri}/model/..%5C..%5Cby-traversal")
    version = pennant_registry.register(run.info.run_id, "model", model)
    if name == "changed":
        client.log_text(run.info.run_id, "another", "model/healthy")
    if name == "gone":
        get_artifact_repository(run.info.artifact_uri).delete_artifacts("model")
    return str(version)


def put(uri: str) -> None:
    """Store a file under a name that MLflow's own client would never send."""
    path = uri.removeprefix("mlflow-artifacts:/")
    url = f"{mlflow.get_tracking_uri()}/api/2.0/mlflow-artifacts/artifacts/{path}"
    urllib.request.urlopen(urllib.request.Request(url, b"x", method="PUT"), timeout=10).close()


def main(model: str) -> None:
    client = MlflowClient()
    experiment = client.create_experiment(model)
    made = {name: register(client, experiment, model, name) for name in EXPRESSIONS}
    source = "s3://somebody-elses/bundle"
    version = client.create_model_version(model, source, await_creation_for=0)
    print(json.dumps({**made, "elsewhere": version.version}))


if __name__ == "__main__":
    main(sys.argv[1])
