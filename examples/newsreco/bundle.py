"""What is saved, registered and served: recommender and ranker, and what they answer together."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from newsreco import ranker
from newsreco.recommender import Recommender

FILE = "newsreco.pkl"


class Bundle(TypedDict):
    """`ranker` is a scikit-learn classifier over the recommender's features."""

    recommender: Recommender
    ranker: Any


def save(bundle: Bundle, path: Path) -> None:
    """Pickles a bundle to a file."""
    path.write_bytes(pickle.dumps(bundle, protocol=5))


def load(path: Path) -> Bundle:
    """Unpickles a bundle: load only what you trained, or whose digest was verified."""
    with path.open("rb") as file:
        loaded: Bundle = pickle.load(file)  # noqa: S301 -- see above
    return loaded


def recommend(bundle: Bundle, user: str, k: int = 10) -> list[str]:
    """The ids of the k articles that the user most likely clicks, best first."""
    return recommend_all(bundle, [(user, k)])[0]


def recommend_all(bundle: Bundle, asked: Sequence[tuple[str, int]]) -> list[list[str]]:
    """As `recommend` for many users, with one call of the ranker for all of them."""
    if not asked:
        return []
    model = bundle["recommender"]
    shortlists = [model.shortlist(user) for user, _ in asked]
    rows = [
        model.features(model.histories.get(user, ()), shortlist)
        for (user, _), shortlist in zip(asked, shortlists, strict=True)
    ]
    scores = ranker.scores(bundle["ranker"], np.concatenate(rows))
    each = np.split(scores, np.cumsum([len(one) for one in shortlists])[:-1])
    return [
        [model.articles[row] for row in shortlist[np.argsort(-score, kind="stable")[:k]]]
        for (_, k), shortlist, score in zip(asked, shortlists, each, strict=True)
    ]
