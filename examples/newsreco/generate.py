"""Makes news and clicks with a known structure, so that there is something to learn.

Every user prefers a few categories and subcategories, every article has an appeal of its own, and
the rest is chance. What is made is MIND-format data, and the same seed makes the same data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from newsreco.config import Config
from newsreco.data import Article, Dataset, Impression

Floats = npt.NDArray[np.float64]

CATEGORIES = (
    *("sports", "finance", "politics", "travel", "health", "science"),
    *("music", "movies", "food", "autos", "weather", "games"),
)
SUBCATEGORIES = 3  # of each category
WORDS = 40  # in the vocabulary of a subcategory
FIRST_USER = 100  # so that U106 is among them
FIRST_ARTICLE = 1000
START = datetime(2026, 3, 2, 6, 0)  # noqa: DTZ001 -- MIND gives no time zone
ROUNDS = 12  # impressions of each user
SHOWN = 40  # articles in an impression
BEFORE = 6  # clicks before the first impression
TASTE, APPEAL, CHANCE = 2.2, 0.5, 0.8  # weights of what makes a click


@dataclass(frozen=True, slots=True)
class _World:
    category: npt.NDArray[np.int64]  # of each article
    subcategory: npt.NDArray[np.int64]
    utility: Floats  # of each article for each user, without the chance


def generate(config: Config) -> Dataset:
    """Articles, users and their clicks, from `config.seed`."""
    rng = np.random.default_rng(config.seed)
    world = _world(rng, config.users, config.articles)
    articles = tuple(_article(rng, world, number) for number in range(config.articles))
    impressions = [one for user in range(config.users) for one in _visits(rng, world, user)]
    return Dataset(articles, tuple(sorted(impressions, key=lambda one: (one.time, one.id))))


def _world(rng: np.random.Generator, users: int, articles: int) -> _World:
    category = np.arange(articles) % len(CATEGORIES)
    subcategory = rng.integers(SUBCATEGORIES, size=articles)
    taste = _standard(np.log(rng.dirichlet(np.full(len(CATEGORIES), 0.4), size=users) + 0.01))
    finer = rng.normal(size=(users, len(CATEGORIES), SUBCATEGORIES))
    appeal = rng.normal(size=articles)
    utility = TASTE * (taste[:, category] + 0.4 * finer[:, category, subcategory]) + APPEAL * appeal
    return _World(category, subcategory, utility)


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean(axis=1, keepdims=True)) / values.std())


def _article(rng: np.random.Generator, world: _World, number: int) -> Article:
    category = CATEGORIES[world.category[number]]
    subcategory = f"{category}{world.subcategory[number]}"
    return Article(
        id=_article_id(number),
        category=category,
        subcategory=subcategory,
        title=_text(rng, category, subcategory, 8),
        abstract=_text(rng, category, subcategory, 24),
    )


def _text(rng: np.random.Generator, category: str, subcategory: str, length: int) -> str:
    """Words that all news share, that the category shares, and the subcategory's own."""
    topics = rng.choice(["news", category, subcategory], p=[0.5, 0.2, 0.3], size=length)
    return " ".join(f"{topic}word{rng.integers(WORDS)}" for topic in topics)


def _visits(rng: np.random.Generator, world: _World, user: int) -> list[Impression]:
    history = _clicks(rng, world, user, shown=_sample(rng, world, SHOWN), count=BEFORE)
    visits = []
    for number in range(ROUNDS):
        shown = _sample(rng, world, SHOWN)
        clicked = _clicks(rng, world, user, shown, count=int(rng.integers(1, 4)))
        visits.append(
            Impression(
                id=str(number * world.utility.shape[0] + user + 1),
                user=f"U{FIRST_USER + user}",
                time=START + timedelta(hours=12 * number, seconds=int(rng.integers(3600 * 10))),
                history=tuple(map(_article_id, history)),
                shown=tuple(map(_article_id, shown)),
                clicked=tuple(article in clicked for article in shown),
            )
        )
        history = history + clicked
    return visits


def _sample(rng: np.random.Generator, world: _World, count: int) -> list[int]:
    articles = world.utility.shape[1]
    return [int(one) for one in rng.choice(articles, size=min(count, articles), replace=False)]


def _clicks(
    rng: np.random.Generator, world: _World, user: int, shown: list[int], count: int
) -> list[int]:
    noisy = world.utility[user, shown] + CHANCE * rng.gumbel(size=len(shown))
    return [shown[place] for place in np.argsort(-noisy)[:count]]


def _article_id(number: int) -> str:
    return f"N{FIRST_ARTICLE + number}"
