"""The recommender: candidates for a user from content, co-clicks and popularity.

An article has two vectors: of its text and topics, and of who clicked it. A user is the mean of
what was clicked, so a new history needs no new training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped] # scipy ships none
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from newsreco.data import Article, Impression

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

FEATURES = ("content", "co_click", "popularity", "category", "subcategory")
BLEND = np.array([1.0, 1.0, 0.5, 0.5, 0.5], dtype=np.float32)  # before there is a ranker
PRIOR_CLICKS, PRIOR_SHOWN = 1.0, 20.0  # smooths the click rate of what was hardly shown


@dataclass(frozen=True)
class Recommender:
    """What training learned. `articles` are ids, and the rows of everything follow their order."""

    articles: tuple[str, ...]
    content: Floats
    co_click: Floats
    popularity: Floats
    category: Indices
    subcategory: Indices
    histories: Mapping[str, tuple[int, ...]]
    candidates: int
    marker: str = ""

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The row of each article id."""
        return {article: row for row, article in enumerate(self.articles)}

    def recommend(self, user: str, k: int = 10) -> list[str]:
        """The ids of the k best articles for a user without the ranker's word on them."""
        return [self.articles[index] for index in self.shortlist(user)[:k]]

    def shortlist(self, user: str) -> Indices:
        """The candidates for the ranker, best first, without what the user has read."""
        history = self.histories.get(user, ())
        unread = np.setdiff1d(np.arange(len(self.articles)), history)
        best = np.argsort(-(self.features(history, unread) @ BLEND), kind="stable")
        return np.asarray(unread[best[: self.candidates]])

    def features(self, history: Sequence[int], articles: Indices) -> Floats:
        """One row of FEATURES for each article. A reader without history has popularity alone."""
        read = np.asarray(history, dtype=np.int64)
        return np.column_stack(
            [
                _likeness(self.content, read, articles),
                _likeness(self.co_click, read, articles),
                self.popularity[articles],
                _share(self.category, read, articles),
                _share(self.subcategory, read, articles),
            ]
        ).astype(np.float32)


def fit(
    articles: Sequence[Article],
    impressions: Sequence[Impression],
    factors: int,
    candidates: int,
    marker: str = "",
) -> Recommender:
    """Learns from impressions, and keeps what each user has read by their end."""
    index = {article.id: number for number, article in enumerate(articles)}
    histories = _histories(index, impressions)
    return Recommender(
        articles=tuple(index),
        content=_content(articles, factors),
        co_click=_co_click(histories.values(), len(index), factors),
        popularity=_popularity(index, impressions),
        category=_codes(article.category for article in articles),
        subcategory=_codes(article.subcategory for article in articles),
        histories=histories,
        candidates=candidates,
        marker=marker,
    )


def known(index: Mapping[str, int], ids: Iterable[str]) -> tuple[int, ...]:
    """The rows of these ids; ids that the news do not hold are left out."""
    return tuple(index[one] for one in ids if one in index)


def _histories(
    index: Mapping[str, int], impressions: Sequence[Impression]
) -> dict[str, tuple[int, ...]]:
    read: dict[str, dict[int, None]] = {}  # a dict keeps the order of the first click
    for one in impressions:
        clicked = (a for a, was in zip(one.shown, one.clicked, strict=True) if was)
        mine = read.setdefault(one.user, {})
        mine.update(dict.fromkeys(known(index, (*one.history, *clicked))))
    return {user: tuple(articles) for user, articles in read.items()}


def _content(articles: Sequence[Article], factors: int) -> Floats:
    # The topics are words too, three times, or a short text would drown them.
    texts = [f"{a.title} {a.abstract} {f'{a.category} {a.subcategory} ' * 3}" for a in articles]
    weighted = TfidfVectorizer(sublinear_tf=True, max_features=20_000).fit_transform(texts)
    return _reduce(weighted, factors)


def _co_click(histories: Iterable[tuple[int, ...]], articles: int, factors: int) -> Floats:
    read = list(histories)
    rows = np.repeat(np.arange(len(read)), [len(one) for one in read])
    columns = np.fromiter((article for one in read for article in one), dtype=np.int64)
    clicks = csr_matrix((np.ones(len(columns)), (columns, rows)), shape=(articles, len(read)))
    return _reduce(normalize(clicks, axis=0), factors)


def _reduce(matrix: csr_matrix, factors: int) -> Floats:
    """Rows of length 1 (or 0), in `factors` dimensions."""
    size = max(1, min(factors, min(matrix.shape) - 1))
    return np.asarray(
        normalize(TruncatedSVD(size, random_state=0).fit_transform(matrix)), dtype=np.float32
    )


def _popularity(index: Mapping[str, int], impressions: Sequence[Impression]) -> Floats:
    """The smoothed click rate, relative to an article that nobody was shown."""
    clicks, shown = np.zeros(len(index)), np.zeros(len(index))
    for one in impressions:
        pairs = [(index[a], c) for a, c in zip(one.shown, one.clicked, strict=True) if a in index]
        rows = [row for row, _ in pairs]
        np.add.at(shown, rows, 1)
        np.add.at(clicks, rows, [was for _, was in pairs])
    rate = (clicks + PRIOR_CLICKS) / (shown + PRIOR_SHOWN)
    return np.asarray(np.log(rate * PRIOR_SHOWN / PRIOR_CLICKS), dtype=np.float32)


def _codes(labels: Iterable[str]) -> Indices:
    return np.asarray(np.unique(list(labels), return_inverse=True)[1], dtype=np.int64)


def _likeness(vectors: Floats, read: Indices, articles: Indices) -> Floats:
    if not len(read):
        return np.zeros(len(articles), dtype=np.float32)
    return np.asarray(vectors[articles] @ vectors[read].mean(axis=0))


def _share(codes: Indices, read: Indices, articles: Indices) -> npt.NDArray[np.float64]:
    """How much of what was read has the article's topic."""
    counts = np.bincount(codes[read], minlength=int(codes.max()) + 1)
    return np.asarray(counts[codes[articles]] / max(len(read), 1))
