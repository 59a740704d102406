"""Training: data, recommender, ranker, metrics on later clicks, and one MLflow run that holds them.

The run is written with a client of its own and not with `mlflow.start_run`, which asks git and the
user database: an image has neither.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from newsreco import broken as broken_bundle
from newsreco import bundle, data, metrics, ranker, recommender
from newsreco.broken import Broken
from newsreco.bundle import Bundle
from newsreco.config import Config
from newsreco.data import Dataset, Impression
from newsreco.generate import generate
from pennant_registry import client as mlflow_client
from pennant_registry.names import TAG_COMMIT, TAG_DATASET, TAG_OWNER

if TYPE_CHECKING:
    from mlflow import MlflowClient

# The recommender learns from the first part, the ranker from the second, and the last is held out.
LEARN, RANK = 0.6, 0.8


@dataclass(frozen=True)
class Trained:
    """A model, how good it is, how good popularity alone is, and the run that holds it."""

    bundle: Bundle
    metrics: dict[str, float]
    baseline: dict[str, float]
    snapshot: str
    run_id: str = ""


def run(cfg: Config, *, broken: Broken | None = None) -> Trained:
    """Trains, evaluates, and logs one run with params, metrics and the artifact newsreco.pkl.

    With `broken`, for demonstrations, the artifact cannot be loaded, or fails in its answers.
    """
    trained = fit(cfg)
    client = mlflow_client.connect()
    with tempfile.TemporaryDirectory(prefix="newsreco-") as folder, _run(client, cfg) as run_id:
        path = Path(folder) / bundle.FILE
        if broken is None:
            bundle.save(trained.bundle, path)
        else:
            broken_bundle.save(trained.bundle, path, broken)
        log(client, run_id, cfg, trained, path)
    _keep(trained.bundle, cfg)
    return replace(trained, run_id=run_id)


def fit(cfg: Config) -> Trained:
    """Trains and evaluates without MLflow."""
    dataset = data.load(cfg.mind) if cfg.mind else generate(cfg)
    learn, rank, held_out = dataset.split(LEARN, RANK)
    model = recommender.fit(
        dataset.articles, learn, cfg.factors, candidates=cfg.candidates, marker=cfg.marker
    )
    made: Bundle = {"recommender": model, "ranker": ranker.fit(model, rank)}
    return Trained(
        bundle=made,
        metrics=metrics.evaluate(_by_ranker(made, held_out)),
        baseline=metrics.evaluate(_by_popularity(made, held_out)),
        snapshot=_snapshot(cfg, dataset),
    )


def report(trained: Trained) -> str:
    """The metrics beside those of recommending what is popular."""
    lines = [
        f"{name}: {value:.4f} (popularity alone: {trained.baseline[name]:.4f})"
        for name, value in trained.metrics.items()
    ]
    return "\n".join(lines)


def log(client: MlflowClient, run_id: str, cfg: Config, trained: Trained, path: Path) -> None:
    """Writes params, metrics and the artifact at `path` to the run."""
    for name in ("seed", "users", "articles", "factors", "candidates", "marker"):
        client.log_param(run_id, name, getattr(cfg, name))
    client.set_tag(run_id, TAG_DATASET, trained.snapshot)
    for name, value in trained.metrics.items():
        client.log_metric(run_id, name, value)
        client.log_metric(run_id, f"popularity_{name}", trained.baseline[name])
    client.log_artifact(run_id, str(path))


@contextlib.contextmanager
def _run(client: MlflowClient, cfg: Config) -> Iterator[str]:
    """A run that ends FINISHED or FAILED, whatever happens inside."""
    with mlflow_client.asking(client):
        existing = client.get_experiment_by_name(cfg.experiment)
        experiment = (
            existing.experiment_id if existing else client.create_experiment(cfg.experiment)
        )
        run_id = client.create_run(experiment, tags=_tags(cfg)).info.run_id
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)


def _tags(cfg: Config) -> dict[str, str]:
    tags = {TAG_COMMIT: cfg.commit or _git_commit(), TAG_OWNER: cfg.owner, "mlflow.user": cfg.owner}
    return {name: value for name, value in tags.items() if value}


def _git_commit() -> str:
    """The commit of this code where it is a git checkout, else nothing."""
    if shutil.which("git") is None:
        return ""
    here = Path(__file__).parent
    asked = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True
    )
    return asked.stdout.strip()


def _snapshot(cfg: Config, dataset: Dataset) -> str:
    kind = f"mind-{cfg.mind.name}" if cfg.mind else f"generated-{cfg.seed}"
    return f"{kind}-{dataset.snapshot()}"


def _by_ranker(made: Bundle, held_out: Sequence[Impression]) -> Iterator[metrics.Ranked]:
    for one in held_out:
        rows = ranker.features(made["recommender"], one)
        yield ranker.scores(made["ranker"], rows).tolist(), one.clicked


def _by_popularity(made: Bundle, held_out: Sequence[Impression]) -> Iterator[metrics.Ranked]:
    model = made["recommender"]
    for one in held_out:
        yield [float(model.popularity[model.index[a]]) for a in one.shown], one.clicked


def _keep(made: Bundle, cfg: Config) -> None:
    if cfg.model_file is None:
        return
    try:
        bundle.save(made, cfg.model_file)
    except OSError as error:
        print(f"no local copy at {cfg.model_file} ({error.strerror}); the run holds the artifact")


def main() -> None:
    trained = run(Config.from_env())
    print(f"run: {trained.run_id}\n{report(trained)}")


if __name__ == "__main__":
    main()
