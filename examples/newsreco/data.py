"""News and clicks in the format of MIND, the Microsoft News Dataset: reading, writing, splitting.

news.tsv       id, category, subcategory, title, abstract, url, title entities, abstract entities
behaviors.tsv  impression id, user, time, history (ids), impressions (id-1 clicked, id-0 not)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

TIME_FORMAT = "%m/%d/%Y %I:%M:%S %p"
NEWS_COLUMNS = 8
BEHAVIOR_COLUMNS = 5


class MindFormatError(ValueError):
    """A line that is not MIND's; the message names file, line and what was expected."""


@dataclass(frozen=True, slots=True)
class Article:
    id: str
    category: str
    subcategory: str
    title: str
    abstract: str

    def line(self) -> str:
        columns = (self.id, self.category, self.subcategory, self.title, self.abstract)
        return "\t".join((*columns, "", "[]", "[]"))


@dataclass(frozen=True, slots=True)
class Impression:
    """What a user was shown at one moment, after having clicked on `history`."""

    id: str
    user: str
    time: datetime  # MIND gives no time zone
    history: tuple[str, ...]
    shown: tuple[str, ...]
    clicked: tuple[bool, ...]

    def line(self) -> str:
        shown = (f"{a}-{int(c)}" for a, c in zip(self.shown, self.clicked, strict=True))
        time = self.time.strftime(TIME_FORMAT)
        return "\t".join((self.id, self.user, time, " ".join(self.history), " ".join(shown)))


@dataclass(frozen=True, slots=True)
class Dataset:
    """Articles, and impressions in the order of time."""

    articles: tuple[Article, ...]
    impressions: tuple[Impression, ...]

    def snapshot(self) -> str:
        """A name for exactly this data: the first 16 hex digits of the sha256 of its lines."""
        whole = hashlib.sha256()
        for line in (*(a.line() for a in self.articles), *(i.line() for i in self.impressions)):
            whole.update(line.encode() + b"\n")
        return whole.hexdigest()[:16]

    def split(self, *shares: float) -> list[tuple[Impression, ...]]:
        """The impressions cut by time at these shares of them: one part more than shares."""
        count = len(self.impressions)
        cuts = [0, *(int(share * count) for share in shares), count]
        return [self.impressions[a:b] for a, b in pairwise(cuts)]


def load(folder: Path) -> Dataset:
    """Reads a MIND folder. Raises FileNotFoundError or MindFormatError."""
    articles = tuple(map(_article, _rows(folder / "news.tsv", NEWS_COLUMNS)))
    impressions = map(_impression, _rows(folder / "behaviors.tsv", BEHAVIOR_COLUMNS))
    return Dataset(articles, tuple(sorted(impressions, key=lambda one: (one.time, one.id))))


def save(dataset: Dataset, folder: Path) -> None:
    """Writes a MIND folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "news.tsv", (article.line() for article in dataset.articles))
    _write(folder / "behaviors.tsv", (one.line() for one in dataset.impressions))


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    fields: list[str]


def _rows(path: Path, columns: int) -> Iterator[_Row]:
    # MIND quotes nothing and uses tabs only between columns, so this is not a job for csv.
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) != columns:
                raise MindFormatError(
                    f"{path} line {number} has {len(fields)} columns, and MIND's have {columns}"
                )
            yield _Row(f"{path} line {number}", fields)


def _article(row: _Row) -> Article:
    return Article(*row.fields[:5])


def _impression(row: _Row) -> Impression:
    number, user, time, history, shown = row.fields
    labelled = [item.rpartition("-") for item in shown.split()]
    if any(not article or label not in {"0", "1"} for article, _, label in labelled):
        raise MindFormatError(
            f"{row.where}: an impression is not like N123-0 or N123-1. MIND's test set carries no "
            "clicks: use its train or dev set"
        )
    return Impression(
        id=number,
        user=user,
        time=_time(row, time),
        history=tuple(history.split()),
        shown=tuple(article for article, _, _ in labelled),
        clicked=tuple(label == "1" for _, _, label in labelled),
    )


def _time(row: _Row, text: str) -> datetime:
    try:
        return datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 -- MIND gives no time zone
    except ValueError as error:
        raise MindFormatError(
            f"{row.where}: time {text!r} is not like 11/11/2019 9:05:58 AM"
        ) from error
