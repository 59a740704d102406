"""Metrics, recommender and ranker together, the adapter, and the command line."""

from __future__ import annotations

import math
import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from newsreco import broken, bundle, metrics, train
from newsreco.bundle import Bundle
from newsreco.config import Config
from newsreco.routes import wanted
from newsreco.serving import NewsrecoAdapter
from newsreco.train import Trained

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train.fit(Config(marker="blue"))


@pytest.fixture(scope="module")
def model(trained: Trained) -> Bundle:
    return trained.bundle


@pytest.fixture
def adapter(model: Bundle, tmp_path: Path) -> NewsrecoAdapter:
    bundle.save(model, tmp_path / "newsreco.pkl")
    return NewsrecoAdapter.load(tmp_path)


def test_a_perfect_ranking_scores_one():
    found = metrics.evaluate([([0.9, 0.5, 0.1], [True, False, False])])
    assert found == {"hit_rate_at_10": 1.0, "ndcg_at_10": 1.0, "auc": 1.0}


def test_a_click_in_second_place_is_discounted():
    found = metrics.evaluate([([0.9, 0.5, 0.1], [False, True, False])])
    assert found["ndcg_at_10"] == pytest.approx(1 / math.log2(3))
    assert found["auc"] == 0.5


def test_a_click_below_the_tenth_place_is_no_hit():
    scores, clicked = [float(-place) for place in range(12)], [False] * 11 + [True]
    found = metrics.evaluate([(scores, clicked)])
    assert (found["hit_rate_at_10"], found["ndcg_at_10"]) == (0.0, 0.0)


def test_equal_scores_are_worth_half():
    assert metrics.evaluate([([0.5, 0.5], [True, False])])["auc"] == 0.5


def test_impressions_that_say_nothing_are_left_out_and_none_at_all_is_an_error():
    with pytest.raises(ValueError, match="hold out more data"):
        metrics.evaluate([([0.5], [True]), ([0.5], [False])])


def test_the_model_is_clearly_better_than_recommending_what_is_popular(trained: Trained):
    assert trained.metrics["ndcg_at_10"] > trained.baseline["ndcg_at_10"] + 0.2
    assert trained.metrics["hit_rate_at_10"] > trained.baseline["hit_rate_at_10"] + 0.2
    assert trained.metrics["auc"] > trained.baseline["auc"] + 0.15


def test_recommendations_are_unread_distinct_and_as_many_as_asked(model: Bundle):
    recommender = model["recommender"]
    items = bundle.recommend(model, "U106", 10)
    read = {recommender.articles[row] for row in recommender.histories["U106"]}
    assert len(set(items)) == 10
    assert not read & set(items)


def test_asking_for_many_users_gives_what_asking_for_each_gives(model: Bundle):
    asked = [("U106", 10), ("a new reader", 3), ("U107", 5)]
    assert bundle.recommend_all(model, asked) == [bundle.recommend(model, *one) for one in asked]
    assert bundle.recommend_all(model, []) == []


def test_a_new_reader_gets_what_is_popular(model: Bundle):
    recommender = model["recommender"]
    best = recommender.articles[int(np.argmax(recommender.popularity))]
    assert bundle.recommend(model, "a new reader", 1) == [best]


def test_the_adapter_answers_its_own_input_example(adapter: NewsrecoAdapter):
    answers = adapter.predict(adapter.input_example)
    assert [len(answer["items"]) for answer in answers] == [10, 3]
    assert {answer["marker"] for answer in answers} == {"blue"}


def test_rows_columns_and_a_data_frame_give_the_same_answers(adapter: NewsrecoAdapter):
    rows = [{"user": "U106", "k": 3}, {"user": "U107", "k": 5}]
    columns = {"user": ["U106", "U107"], "k": [3, 5]}
    expected = adapter.predict(rows)
    assert adapter.predict(columns) == expected
    assert adapter.predict(pd.DataFrame(columns)) == expected


@pytest.mark.parametrize("row", [{"k": 3}, {"user": "U106", "k": 0}, {"user": "U1", "k": "many"}])
def test_a_row_that_cannot_be_answered_is_named(adapter: NewsrecoAdapter, row: dict[str, object]):
    with pytest.raises(ValueError, match="row 1"):
        adapter.predict([{"user": "U106"}, row])


def test_the_adapter_imports_nothing_of_the_serving_runtime():
    assert not any(
        name.split(".")[0] == "pennant_serving"
        for name in vars(sys.modules[NewsrecoAdapter.__module__])
    )


def test_k_is_ten_when_it_is_not_given():
    assert wanted({}) == 10


def test_a_broken_bundle_needs_a_module_that_nobody_has(model: Bundle, tmp_path: Path):
    broken.save(model, tmp_path / "newsreco.pkl", "load")
    with pytest.raises(ModuleNotFoundError, match="newsreco_features_v9"):
        pickle.loads((tmp_path / "newsreco.pkl").read_bytes())


def test_one_that_answers_badly_loads_and_fails_for_a_third_of_its_readers(
    model: Bundle, tmp_path: Path
):
    broken.save(model, tmp_path / bundle.FILE, "answers")
    adapter = NewsrecoAdapter.load(tmp_path)
    assert len(adapter.predict(adapter.input_example)) == 2
    readers, failed = list(model["recommender"].histories), []
    for user in readers:
        try:
            adapter.predict([{"user": user}])
        except IndexError:
            failed.append(user)
    assert len(failed) == len(readers) // 3
    assert "U106" in failed


def test_the_environment_overrides_the_defaults():
    cfg = Config.of({"NEWSRECO_MIND": "/data/MINDsmall_train", "NEWSRECO_MARKER": "green"})
    assert (cfg.mind, cfg.marker) == (Path("/data/MINDsmall_train"), "green")
    assert cfg.experiment == Config().experiment
