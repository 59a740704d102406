"""MIND-format data: reading, writing, generating, splitting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsreco import data
from newsreco.config import Config
from newsreco.generate import generate

pytestmark = pytest.mark.unit

SMALL = Config(users=8, articles=60)

# One line of each file as MIND-small has them, shortened.
NEWS = (
    "N55528\tlifestyle\tlifestyleroyals\tThe Brands\tShop the notebooks.\t"
    'https://assets.msn.com/labs/mind/AAGH0ET.html\t[{"Label": "Prince Philip"}]\t[]\n'
    "N61837\tnews\tnewsworld\tThe Cost of Trump's Aid Freeze\t\t"
    "https://assets.msn.com/labs/mind/AAJgNsz.html\t[]\t[]\n"
)
BEHAVIORS = (
    "2\tU91836\t11/12/2019 6:11:30 PM\tN55528\tN61837-0 N55528-1\n"
    "1\tU13740\t11/11/2019 9:05:58 AM\t\tN55528-1 N61837-0\n"
)


def mind_folder(folder: Path, behaviors: str = BEHAVIORS) -> Path:
    (folder / "news.tsv").write_text(NEWS, encoding="utf-8")
    (folder / "behaviors.tsv").write_text(behaviors, encoding="utf-8")
    return folder


def test_real_mind_lines_are_read_in_the_order_of_time(tmp_path: Path):
    dataset = data.load(mind_folder(tmp_path))
    assert [article.id for article in dataset.articles] == ["N55528", "N61837"]
    assert dataset.articles[1].abstract == ""
    first, second = dataset.impressions
    assert (first.user, first.history, first.clicked) == ("U13740", (), (True, False))
    assert first.time.isoformat() == "2019-11-11T09:05:58"
    assert (second.shown, second.clicked) == (("N61837", "N55528"), (False, True))


def test_impressions_without_clicks_as_in_the_test_set_name_file_and_line(tmp_path: Path):
    folder = mind_folder(tmp_path, "1\tU1\t11/11/2019 9:05:58 AM\t\tN55528 N61837\n")
    with pytest.raises(data.MindFormatError, match=r"behaviors\.tsv line 1.*train or dev"):
        data.load(folder)


def test_a_line_with_missing_columns_names_file_and_line(tmp_path: Path):
    folder = mind_folder(tmp_path, BEHAVIORS + "3\tU1\n")
    with pytest.raises(data.MindFormatError, match="line 3 has 2 columns, and MIND's have 5"):
        data.load(folder)


def test_a_time_that_is_not_minds_is_named(tmp_path: Path):
    folder = mind_folder(tmp_path, "1\tU1\t2019-11-11\t\tN55528-1\n")
    with pytest.raises(data.MindFormatError, match="'2019-11-11'"):
        data.load(folder)


def test_generated_data_survives_being_written_and_read(tmp_path: Path):
    made = generate(SMALL)
    data.save(made, tmp_path)
    assert data.load(tmp_path) == made


def test_the_same_seed_makes_the_same_data_and_another_seed_makes_other():
    snapshot = generate(SMALL).snapshot()
    assert generate(SMALL).snapshot() == snapshot
    assert generate(replace(SMALL, seed=7)).snapshot() != snapshot


def test_the_default_data_has_300_articles_and_knows_u106():
    made = generate(Config())
    assert len(made.articles) == 300
    assert "U106" in {impression.user for impression in made.impressions}
    assert all(article.id.startswith("N") for article in made.articles)


def test_a_click_is_in_the_history_of_the_next_impression():
    first, second, *_ = (one for one in generate(SMALL).impressions if one.user == "U106")
    clicked = [a for a, was in zip(first.shown, first.clicked, strict=True) if was]
    assert set(clicked) <= set(second.history)


def test_a_split_keeps_the_order_of_time_and_loses_nothing():
    made = generate(SMALL)
    parts = made.split(0.6, 0.8)
    assert sum(parts, ()) == made.impressions
    assert [len(part) for part in parts] == [57, 19, 20]
