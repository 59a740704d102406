"""Nobody's answer depends on what others ask: what is joined, what is not, and who says so."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from pennant_serving.adapters.native_sklearn import SklearnAdapter
from pennant_serving.batching import joining, proof
from pennant_serving.batching.joining import Ambiguous, NotOneEach
from pennant_serving.batching.neighbours import different
from pennant_serving.batching.policy import ROWS
from pennant_serving.batching.pool import Pool
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.rows import Rows, Table
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.app_builders import model
from pennant_testing.serving.fitted_adapters import CountingAdapter, X, Y, native
from pennant_testing.serving.joined_requests import ask
from pennant_testing.serving.odd_estimators import ODD, Odd, OddStep, mixed

pytestmark = [
    pytest.mark.unit,
    # As the adapters do in their process, where no test resets the filters.
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
]


def alone(adapter: Any, *requests: Rows) -> list[Any]:
    return [ask(model(adapter), each)[0] for each in requests]


def test_a_model_of_ones_own_is_asked_request_by_request_even_where_the_example_shows_nothing():
    class Own(CountingAdapter):
        joins = False

    adapter = Own(ODD["its share of the largest"])
    served = model(adapter)
    asyncio.run(served.batcher.prove(Rows([[1.0, 1.0]])))
    mine, other = ask(served, Rows([[1.0, 0.0], [4.0, 0.0]]), Rows([[1.0, 0.0], [100.0, 0.0]]))
    assert (mine.tolist(), other.tolist()) == ([0.25, 1.0], [0.01, 1.0])
    assert adapter.sizes == [2, 2]


def test_an_adapter_that_says_nothing_is_not_joined():
    class Silent:
        input_example = None

        def predict(self, rows):
            return [len(rows)] * len(rows)

    served = model(Silent())
    assert ask(served, Rows([1.0]), Rows([2.0, 3.0])) == [[1], [2, 2]]
    assert "one by one: nobody says that they may be joined" in str(served.batcher)


@pytest.mark.parametrize(
    ("estimator", "joins"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), True),
        (Odd("its share of the column"), False),
        (make_pipeline(OddStep("less the mean"), LinearRegression()), False),
        (make_pipeline(FunctionTransformer(np.sort), LinearRegression()), False),
    ],
    ids=["scikit-learn's own", "a class", "a step", "a function"],
)
def test_an_estimator_is_joined_and_in_the_loop_only_when_all_of_it_is_known(estimator, joins):
    adapter = native(estimator)
    assert (adapter.joins, adapter.steady) == (joins, joins)


def test_the_ready_line_names_what_is_not_known():
    served = model(native(make_pipeline(OddStep(), LinearRegression())))
    step = f"{OddStep.__module__}.OddStep"
    how = f"one by one: {step}, which a Pipeline holds, is not scikit-learn's own"
    assert str(served.batcher) == f"requests are predicted {how}"


@pytest.mark.parametrize(
    "estimator",
    [
        MultiOutputClassifier(LogisticRegression()),
        RandomForestClassifier(3),
        DecisionTreeClassifier(),
        KNeighborsClassifier(),
        MLPClassifier((3,), max_iter=500),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_caller_gets_the_outputs_of_its_own_row(estimator):
    """As many outputs as rows, and most answer with one array for each output."""
    labels = np.column_stack([Y, 1 - Y])
    flavors = {"sklearn": {}, "python_function": {"predict_fn": "predict_proba"}}
    mlmodel = MLmodel(Path(), flavors, (), (), (), (), None, from_type_hint=False)
    estimator.fit(X, labels)
    for limits in ({}, {"mode": ROWS}):
        served = model(SklearnAdapter(mlmodel, estimator), **limits)
        for row, answer in zip(X[:2], ask(served, Rows(X[:1]), Rows(X[1:2])), strict=True):
            expected = estimator.predict_proba([row])
            assert np.allclose(answer, expected)


def test_a_large_request_whose_answer_has_one_array_for_each_output_is_not_cut_to_pieces():
    adapter = CountingAdapter(lambda x: [x[:, 0], x[:, 1], x[:, 0]])
    served = model(adapter, max_rows=3)
    (answer,) = ask(served, Rows(X[:9]))
    assert [len(each) for each in answer] == [9, 9, 9]


def test_a_list_as_long_as_the_batch_is_told_apart_only_where_it_can_mean_nothing_else():
    assert joining.split([{"a": 1}, {"a": 2}], [1, 1]) == [[{"a": 1}], [{"a": 2}]]
    assert joining.split([[1, 2, 3], [4, 5, 6]], [1, 1]) == [[[1, 2, 3]], [[4, 5, 6]]]
    for answer in ([[1, 2], [3, 4]], [np.ones(2), np.ones(2)], ((1, 2), (3, 4))):
        with pytest.raises(Ambiguous):
            joining.split(answer, [1, 1])
    with pytest.raises(NotOneEach):
        joining.split([1, 2], [1, 1], lists=False)
    for answer in ("ab", 7, np.float64(1), {1, 2}, None):
        with pytest.raises(NotOneEach):
            joining.split(answer, [1, 1])
    assert joining.split(Table(a=np.array([1, 2])), [1, 1], lists=False)[1]["a"].tolist() == [2]


def test_an_answer_that_may_be_rows_or_outputs_does_not_end_joining():
    adapter = CountingAdapter(lambda x: [list(row) for row in x])
    served, rows = model(adapter), X.tolist()
    assert ask(served, *(Rows([row]) for row in rows[:2])) == [[row] for row in rows[:2]]
    assert served.batcher.joins
    assert ask(served, *(Rows([row]) for row in rows[:3])) == [[row] for row in rows[:3]]
    assert adapter.sizes == [2, 1, 1, 3]


def test_a_person_may_say_that_rows_are_independent():
    class Own(CountingAdapter):
        joins = False

    adapter = Own()
    served = model(adapter, mode=ROWS)
    ask(served, Rows([[1.0, 0.0]]), Rows([[2.0, 0.0]]))
    assert adapter.sizes == [2]
    assert "together: as serving.batching.mode says" in str(served.batcher)


def test_not_even_a_person_can_ask_for_what_the_model_cannot_do():
    class Fixed(CountingAdapter):
        joins, never_joins = False, True

    assert not model(Fixed(), mode=ROWS).batcher.joins


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("way", ODD)
def test_what_the_example_disproves_is_not_joined_whoever_said_so(way, rows):
    served = model(CountingAdapter(ODD[way]), mode=ROWS)
    example = Rows([[4.0, 1.5], [-2.0, 0.25], [1.0, 1.0]][:rows])
    asyncio.run(served.batcher.prove(example))
    assert not served.batcher.joins
    assert "one by one: " in str(served.batcher)
    assert str(served.batcher).endswith(", though serving.batching.mode is Rows")


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x[:, 0] * 2,
        lambda x: x.astype("float32") / 3,
        lambda x: [{"sum": each} for each in x.sum(axis=1)],
        lambda x: [list(row) for row in x],
        lambda x: (x[:, 0] > 0).astype(str),
        lambda x: {"a": x[:, 0], "b": x},
    ],
)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_what_answers_row_by_row_is_not_doubted(answer, rows):
    served = model(CountingAdapter(answer))
    example = Rows([[4.0, 1.5], [-2.0, 0.25], [1.0, 1.0]][:rows])
    asyncio.run(served.batcher.prove(example))
    assert served.batcher.joins, str(served.batcher)


def test_neighbours_are_other_values_of_the_same_types():
    value = Rows([["a", 1, 2.5, True, None], ["b", 3, 4.5, False, None]], tuple("abcde"))
    for other in list(different(value))[1:]:
        assert other.columns == value.columns
        for row in other.values:
            assert [type(each) for each in row] == [str, int, float, bool, type(None)]
            assert row[1] not in (1, 3)


def test_nothing_is_looked_at_for_joining_where_nothing_may_be_joined(monkeypatch):
    class Own(CountingAdapter):
        joins = False

    def never(_rows: Any) -> Any:
        raise AssertionError("looked at")

    monkeypatch.setattr(joining, "kind", never)
    adapter = Own()
    answers = ask(model(adapter), *(Rows(X[:5].tolist()) for _ in range(20)))
    assert all(np.array_equal(each, X[:5, 0]) for each in answers)
    assert adapter.sizes == [5] * 20


def test_a_large_request_is_cut_only_where_rows_may_be_told_apart():
    class Own(CountingAdapter):
        joins = False

    own, known = Own(), CountingAdapter()
    for adapter in (own, known):
        (answer,) = ask(model(adapter, max_rows=2), Rows(X[:5]))
        assert np.array_equal(answer, X[:5, 0])
    assert (own.sizes, known.sizes) == ([5], [2, 2, 1])


def test_an_example_of_no_rows_is_no_sign_of_anything():
    served = model()
    asyncio.run(served.batcher.prove(Rows([])))
    assert (served.batcher.joins, served.batcher.runner.speed.largest) == (True, 0)


WAYS = st.sampled_from(sorted(ODD.keys() - {"by chance"}))
WRAPPERS = {
    "a class": Odd,
    "a step": lambda way: make_pipeline(StandardScaler(), OddStep(way), LinearRegression()),
    "a function": lambda way: make_pipeline(
        FunctionTransformer(mixed, kw_args={"way": way}), LinearRegression()
    ),
    "deep inside": lambda way: make_pipeline(
        FeatureUnion([("own", make_pipeline(OddStep(way))), ("plain", StandardScaler())]),
        LinearRegression(),
    ),
    "scikit-learn's own": lambda _: make_pipeline(StandardScaler(), LinearRegression()),
}
NUMBERS = st.floats(-100, 100, allow_subnormal=False).map(lambda x: round(x, 3))
REQUESTS = st.lists(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4), min_size=2, max_size=5
)
POOL = Pool()


@pytest.mark.parametrize("proved", [True, False], ids=["with an example", "without"])
@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
@examples(40)
@given(
    way=WAYS,
    requests=REQUESTS,
    most=st.sampled_from([2, 3, 1024]),
)
def test_no_answer_differs_from_the_one_that_the_request_gets_alone(
    wrapper, proved, way, requests, most
):
    adapter = native(wrapper(way))
    rows = [Rows([list(row) for row in each]) for each in requests]
    served = model(adapter, pool=POOL, max_rows=most)
    if proved:
        asyncio.run(served.batcher.prove(rows[0]))
    expected = [ask(model(adapter, pool=POOL, max_rows=1), each)[0] for each in rows]
    for found, own in zip(ask(served, *rows), expected, strict=True):
        if isinstance(own, Exception):
            assert (type(found), str(found)) == (type(own), str(own))
        else:
            assert proof.same(found, own)
