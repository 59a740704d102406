"""Offline metrics of ranked impressions, as MIND's leaderboard counts them: a mean over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Ranked = tuple[
    Sequence[float], Sequence[bool]
]  # for one impression: a score and a click per article


def evaluate(ranked: Iterable[Ranked]) -> dict[str, float]:
    """hit_rate_at_10, ndcg_at_10 and auc, over the impressions that have both kinds of articles."""
    judged = [
        (np.asarray(clicked, dtype=bool)[np.argsort(-np.asarray(scores), kind="stable")], scores)
        for scores, clicked in ranked
        if any(clicked) and not all(clicked)
    ]
    if not judged:
        raise ValueError("no impression has clicked and unclicked articles: hold out more data")
    return {
        "hit_rate_at_10": float(np.mean([order[:10].any() for order, _ in judged])),
        "ndcg_at_10": float(np.mean([ndcg(order, 10) for order, _ in judged])),
        "auc": float(np.mean([auc(order, np.sort(scores)[::-1]) for order, scores in judged])),
    }


def ndcg(clicked: npt.NDArray[np.bool_], k: int) -> float:
    """Discounted gain of the clicks among the first k, by that of the best order."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gained = discounts[: len(clicked)][clicked[:k]].sum()
    return float(gained / discounts[: int(clicked.sum())].sum())


def auc(clicked: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> float:
    """The share of (clicked, unclicked) pairs in the right order; a tie is half. Scores descend."""
    good, bad = scores[clicked], scores[~clicked]
    return float(((good[:, None] > bad).mean() + (good[:, None] >= bad).mean()) / 2)
