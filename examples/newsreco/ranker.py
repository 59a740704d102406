"""The ranker: how likely a click is, from the recommender's features, learned on later clicks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from newsreco.data import Impression
from newsreco.recommender import Floats, Recommender, known


def fit(recommender: Recommender, impressions: Sequence[Impression]) -> Pipeline:
    """Learns on impressions that the recommender has not seen: it knows the clicks of its own."""
    rows = [features(recommender, one) for one in impressions]
    clicked = np.concatenate([np.asarray(one.clicked) for one in impressions])
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(np.concatenate(rows), clicked)


def features(recommender: Recommender, impression: Impression) -> Floats:
    """One row for each article shown, from what the user had read by then."""
    shown = np.array([recommender.index[article] for article in impression.shown], dtype=np.int64)
    return recommender.features(known(recommender.index, impression.history), shown)


def scores(ranker: Pipeline, rows: Floats) -> Floats:
    """The probability of a click for each row."""
    return np.asarray(ranker.predict_proba(rows)[:, 1], dtype=np.float32)
