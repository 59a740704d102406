"""Who is compared: what each server is installed from, how it is started, how it is asked.

All of them are told to use one process for predictions and to write no access log, where they can
be told; everything else is as it comes. Where two settings are documented, the faster one on one
core is taken.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.serving.protocols import INVOCATIONS, PLAIN, V2, V2_COLUMNS, Protocol
from bench.serving.workload import MODEL, Workload
from pennant_dev.ports import free_port
from pennant_dev.settings import REPOSITORY
from pennant_registry import digest
from pennant_serving.bundle import manifest

HERE = Path(__file__).parent
LOCKS = HERE / "requirements"
APPS = HERE / "apps"
VERSION = "1"


@dataclass(frozen=True)
class Site:
    """Where one server runs."""

    python: Path
    folder: Path
    """Its own, to write what it needs."""
    port: int
    workload: Workload


@dataclass(frozen=True)
class Command:
    """How a server is started."""

    argv: list[str | Path]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """One server of the comparison."""

    name: str
    environment: str
    lock: Path
    """What its environment holds."""
    packages: tuple[str, ...]
    """Whose versions are told."""
    protocol: Protocol
    command: Callable[[Site], Command]
    against: str | None = None
    """Which of ours it is held against: the one that is asked in the same way."""
    checked: bool = True
    """False for what predicts nothing."""


def serving(site: Site) -> Command:
    """Our own."""
    bundle = site.workload.bundle
    bundle_manifest = manifest.Manifest(
        MODEL, VERSION, "bench", digest.of_path(bundle), "folder", files=1, bytes=1
    )
    manifest.write(bundle_manifest, manifest.manifest_path(bundle))
    return Command(
        [site.python, "-m", "pennant_serving"],
        {
            "PYTHONPATH": str(site.workload.code),
            "PENNANT_MODEL_NAME": MODEL,
            "PENNANT_MODEL_VERSION": VERSION,
            "PENNANT_MODEL_PATH": str(bundle),
            "PENNANT_PORT": str(site.port),
            "PENNANT_TERMINATION_LOG": str(site.folder / "termination-log"),
        },
    )


def _mlflow(site: Site) -> Command:
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(site.port)]
    return Command([site.python, "-m", "mlflow", "models", "serve", *options, "--model-uri",
                    site.workload.bundle])  # fmt: skip


def _mlserver(runtime: str, model: Callable[[Workload], Path]) -> Callable[[Site], Command]:
    def command(site: Site) -> Command:
        ports = {"http_port": site.port, "grpc_port": free_port(), "metrics_port": free_port()}
        # Without its worker process: on one core that only costs.
        server = {"host": "127.0.0.1", "debug": False, "parallel_workers": 0, **ports}
        served = {
            "name": MODEL,
            "implementation": runtime,
            "parameters": {"uri": str(model(site.workload))},
        }
        (site.folder / "settings.json").write_text(json.dumps(server))
        (site.folder / "model-settings.json").write_text(json.dumps(served))
        return Command([site.python.with_name("mlserver"), "start", site.folder])

    return command


def _kserve(site: Site) -> Command:
    options = ["--http_port", str(site.port), "--enable_grpc", "false", "--workers", "1"]
    options += ["--model_name", MODEL, "--path", str(site.workload.joblib)]
    return Command([site.python, APPS / "kserve_app.py", *options])


def _bentoml(site: Site) -> Command:
    options = ["--host", "127.0.0.1", "--port", str(site.port), "--working-dir", str(APPS)]
    return Command(
        [site.python, "-m", "bentoml", "serve", "bentoml_app:BentoClassifier", *options],
        {"BENCH_MODEL": str(site.workload.joblib), "BENTOML_DO_NOT_TRACK": "True",
         "BENTOML_HOME": str(site.folder)},
    )  # fmt: skip


def _asgi(site: Site) -> Command:
    options = ["--host", "127.0.0.1", "--port", str(site.port), "--app-dir", str(APPS)]
    options += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--lifespan", "off"]
    return Command([site.python, "-m", "uvicorn", "asgi:app", *options])


def _predicting(site: Site) -> Command:
    return Command(_asgi(site).argv, {"BENCH_MODEL": str(site.workload.joblib)})


OURS = "Pennant"
OURS_INVOCATIONS = "Pennant, /invocations"
# That of the serving image; its bare applications have the same libraries.
OUR_OWN = ("serving", REPOSITORY / "requirements" / "serving.txt", ("scikit-learn", "uvicorn"))
_MLSERVER = ("mlserver", LOCKS / "mlserver.txt")

PEERS = (
    Peer(OURS, *OUR_OWN, V2, serving),
    Peer(OURS_INVOCATIONS, *OUR_OWN, INVOCATIONS, serving),
    Peer("mlflow models serve", "mlflow", REPOSITORY / "requirements" / "mlflow.txt",
         ("mlflow", "scikit-learn"), INVOCATIONS, _mlflow, OURS_INVOCATIONS),
    Peer("MLServer, MLflow runtime", *_MLSERVER, ("mlserver-mlflow", "mlflow", "scikit-learn"),
         V2_COLUMNS, _mlserver("mlserver_mlflow.MLflowRuntime", lambda made: made.bundle), OURS),
    Peer("MLServer, scikit-learn runtime", *_MLSERVER, ("mlserver-sklearn", "scikit-learn"),
         V2, _mlserver("mlserver_sklearn.SKLearnModel", lambda made: made.joblib), OURS),
    Peer("KServe's Python server", "kserve", LOCKS / "kserve.txt", ("kserve", "scikit-learn"),
         V2, _kserve, OURS),
    Peer("BentoML", "bentoml", LOCKS / "bentoml.txt", ("bentoml", "scikit-learn"),
         PLAIN, _bentoml, OURS),
    Peer("bare ASGI app with the model", *OUR_OWN, V2, _predicting, OURS),
    Peer("bare ASGI app without a model", *OUR_OWN, V2, _asgi, OURS, checked=False),
)  # fmt: skip
