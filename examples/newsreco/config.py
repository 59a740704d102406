"""Settings of training and of the API; the environment is read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """All defaults fit the generated data: training takes seconds.

    The tracking address is not here: MLflow reads MLFLOW_TRACKING_URI itself.
    """

    experiment: str = "news-recommender"
    mind: Path | None = None  # a MIND folder (news.tsv, behaviors.tsv) instead of generated data
    seed: int = 106
    users: int = 300
    articles: int = 300
    factors: int = 32  # size of the vectors of an article
    candidates: int = 100  # what the recommender hands to the ranker
    min_ndcg_at_10: float = 0.30  # below it nothing is promoted
    max_ndcg_at_10_drop: float = 0.0  # against production: a new model is as good, or stays out
    marker: str = ""  # comes back in every answer, to tell two models apart
    commit: str = ""  # of the code, for images without a git folder
    owner: str = ""
    model_file: Path | None = Path("newsreco.pkl")  # the local copy that training keeps for the API
    mount: Path | None = None  # PENNANT_MODEL_PATH: the bundle of the version this pod is for
    port: int = 8000  # of the API; PENNANT_PORT in a pod of Pennant's

    @classmethod
    def from_env(cls) -> Config:
        """The defaults, with what NEWSRECO_* and (in a pod) PENNANT_* variables say otherwise."""
        return cls.of(os.environ)  # noqa: TID251 -- this is the edge

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Config:
        mind, mount = variables.get("NEWSRECO_MIND"), variables.get("PENNANT_MODEL_PATH")
        return cls(
            experiment=variables.get("NEWSRECO_EXPERIMENT") or cls().experiment,
            mind=Path(mind) if mind else None,
            marker=variables.get("NEWSRECO_MARKER", ""),
            commit=variables.get("NEWSRECO_COMMIT", ""),
            owner=variables.get("NEWSRECO_OWNER", ""),
            model_file=Path(variables.get("NEWSRECO_MODEL_FILE") or "newsreco.pkl"),
            mount=Path(mount) if mount else None,
            port=int(variables.get("PENNANT_PORT") or cls().port),
        )


def use_registry() -> bool:
    """Whether the API asks the registry first (NEWSRECO_USE_REGISTRY=1)."""
    return os.environ.get("NEWSRECO_USE_REGISTRY") == "1"  # noqa: TID251 -- this is the edge
