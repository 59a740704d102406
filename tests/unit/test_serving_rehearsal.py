"""What a rehearsal compares, and what it makes of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pennant_serving.codecs import invocations, v2
from pennant_serving.errors import InvalidInput, Unfit, culprit, from_model
from pennant_serving.recent.sample import INFER, INVOCATIONS, Sample
from pennant_serving.rehearsal.answers import Outputs, Shapes, are_equal, outputs_in
from pennant_serving.rehearsal.judging import Allowed, Played, count, problem
from pennant_serving.rows import Rows

pytestmark = pytest.mark.unit

ALLOWED = Allowed(errors=0.0, slower=3.0, agreement=0.0)
VERSIONS = ("8", "7")


def sample(rows: int = 2, protocol: str = INVOCATIONS) -> Sample:
    return Sample(
        protocol=protocol, route="POST /invocations", method="POST", target="",
        media="application/json", head_bytes=-1, body=b"", answer=b"", answer_head_bytes=-1,
        rows=rows, seconds=0.001, whole=False, alone=True, at=0.0,
    )  # fmt: skip


def invoked(predictions: Any) -> Outputs:
    outputs = outputs_in(INVOCATIONS, invocations.encode(predictions))
    assert outputs is not None
    return outputs


def difference(before: Any, now: Any, *others: Any) -> str:
    """Between two answers to two rows, when other answers before were these."""
    every = [(sample(), invoked(each)) for each in (before, *others)]
    return Shapes.of(every).difference(sample(), invoked(before), invoked(now))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([1, 2], [2.5, 3]),
        (["a", "b"], ["c", "d"]),
        ([[0.1, 0.9], [0.2, 0.8]], np.array([[0.3, 0.7], [0.4, 0.6]])),
        ([{"label": "a", "score": 0.5}] * 2, [{"label": "b", "score": 0.4, "more": 1}] * 2),
        ([["a", "b"], ["c"]], [["a"], ["b"]]),
        ({"a": [1, 2]}, {"a": [3, 4]}),
    ],
)
def test_a_retrained_model_answers_in_the_same_shape(before, now):
    assert difference(before, now) == ""


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ([1, 2], [[1, 2], [3, 4]], "rows of 2 values in place of one value"),
        ([1, 2], [1, 2, 3], "3 rows in place of 2"),
        ([1, 2], ["1", "2"], "texts in place of numbers"),
        ([1, 2], [1, None], "nulls in place of numbers"),
        ([1, 2], [True, False], "booleans in place of numbers"),
        ([{"a": 1, "b": 2}] * 2, [{"a": 1}] * 2, "1 of 2 outputs missing"),
        ([[1, 2], [3, 4]], [[1, 2], [3]], "rows of different lengths in place of 2 values"),
    ],
)
def test_another_shape_is_said_without_a_value(before, now, words):
    assert difference(before, now) == words


def test_what_varied_before_may_vary_now():
    assert difference([1, 2], [1, None], [3, None]) == ""
    assert difference({"u1": 1}, {"u2": 1}, {"u3": 1}) == ""
    assert difference([[1, 2], [3, 4]], [[1], [2]], [[1, 2, 3], [4, 5, 6]]) == ""


def test_answers_that_are_not_one_for_each_row_may_have_any_number():
    assert difference(["a", "b", "c"], ["d"]) == ""


def test_tensors_are_compared_as_json_and_as_bytes():
    asked = v2.InferRequest(Rows(()), None, ())
    binary = v2.InferRequest(Rows(()), None, (), binary=True)
    array = np.array([[1.5, np.nan]])
    head, *parts = v2.encode_mixed(array, binary, "iris", "7")
    raw = outputs_in(INFER, b"".join((head, *parts)), len(head))
    plain = outputs_in(INFER, v2.encode(array, asked, "iris", "7"))
    assert raw is not None
    assert plain is not None
    assert raw["predict"].kinds == plain["predict"].kinds == {"numbers", "nulls"}
    assert (raw["predict"].rows, raw["predict"].widths) == (1, (2,))
    shapes = Shapes.of([(sample(1, INFER), raw)])
    other = outputs_in(INFER, v2.encode(np.array([1.0]), asked, "iris", "7"))
    assert other is not None
    assert (
        shapes.difference(sample(1, INFER), raw, other) == "rows of one value in place of 2 values"
    )


def test_infinities_and_large_whole_numbers_are_numbers():
    """As log-probabilities are, and hashes: the codecs write what is no JSON of orjson's."""
    assert difference([-1.5, -2.0], np.array([-np.inf, -2.0])) == ""
    assert difference([1, 2], [2**70, 3]) == ""
    assert are_equal(invoked([-np.inf, 2**70]), invoked([-np.inf, 2**70]))
    assert not are_equal(invoked([10**400]), invoked([1.0]))
    asked = v2.InferRequest(Rows(()), None, ())
    answer = outputs_in(INFER, v2.encode(np.array([[-np.inf, 0.0]]), asked, "iris", "7"))
    assert answer is not None
    assert answer["predict"].kinds == {"numbers"}


@pytest.mark.parametrize("body", [b"", b"[1]", b"{}", b'{"outputs": [{}]}', b'{"outputs": 1}'])
def test_what_is_no_answer_is_none(body):
    assert outputs_in(INFER, body) is None
    assert outputs_in(INVOCATIONS, body) is None


@pytest.mark.parametrize(
    ("before", "now", "equal"),
    [
        ([1000.0, 2], [1000.9, 2], True),
        ([1000.0, 2], [1002.0, 2], False),
        (["a", 1], ["a", 1], True),
        (["a", 1], ["b", 1], False),
        ([0.0], [0.0], True),
        ([1, 2], [1], False),
        ([True], [1], True),
    ],
)
def test_labels_are_equal_and_numbers_within_a_thousandth(before, now, equal):
    assert are_equal(invoked(before), invoked(now)) is equal


def played(number: int, **facts: Any) -> list[Played]:
    plain = {"fault": "", "equal": True, "seconds_before": 0.02, "seconds_now": 0.02}
    return [Played(**(plain | {"alone": True} | facts)) for _ in range(number)]


def judged(*rounds: list[Played], **allowed: float) -> str:
    bounds = Allowed(**({"errors": 0.0, "slower": 3.0, "agreement": 0.0} | allowed))
    return problem(count([each for part in rounds for each in part]), bounds, VERSIONS)


def test_one_request_that_fails_is_enough_unless_a_share_may():
    rounds = played(99), played(1, fault="POST /invocations: 500, TypeError in predict (m.py:3)")
    assert judged(*rounds) == (
        "version 8 fails 1 of 100 of the newest requests, which version 7 answered;"
        " spec.rollout.rehearsal.errors allows 0%: POST /invocations: 500, TypeError in predict"
        " (m.py:3)"
    )
    assert judged(*rounds, errors=0.01) == ""
    assert judged(*rounds, errors=0.005).startswith("version 8 fails 1 of 100")


def test_the_first_three_faults_are_named_each_once():
    rounds = [played(2, fault=f"fault {n}") for n in range(5)]
    assert judged(*rounds).endswith(": fault 0; fault 1; fault 2")


def test_three_times_as_long_is_too_long_unless_that_is_nothing():
    assert judged(played(9, seconds_now=0.06)) == (
        "version 8 takes 60 ms for one of the newest requests, and version 7 20 ms (medians of 9):"
        " 3 times as long, and spec.rollout.rehearsal.slower is 3"
    )
    assert judged(played(9, seconds_now=0.059)) == ""
    assert judged(played(9, seconds_before=0.0005, seconds_now=0.005)) == ""  # the machine's whim
    assert judged(played(9, seconds_now=0.06), slower=4) == ""


def test_a_few_slow_ones_are_no_slow_version():
    assert judged(played(6), played(5, seconds_now=1.0)) == ""


def test_who_was_predicted_alone_is_compared_where_there_are_enough():
    together = played(50, seconds_before=0.5, seconds_now=0.06, alone=False)
    assert "3 times as long" in judged(together, played(10, seconds_now=0.06))
    assert judged(together, played(9, seconds_now=0.06)) == ""


def test_too_few_times_are_not_compared():
    assert judged(played(2, seconds_now=9.0), played(5, seconds_now=None)) == ""


def test_agreement_is_wanted_of_those_that_can_be_compared():
    rounds = played(7), played(3, equal=False), played(10, equal=None)
    assert judged(*rounds) == ""
    assert judged(*rounds, agreement=0.7) == ""
    assert judged(*rounds, agreement=0.71) == (
        "version 8 answers 7 of 10 of the newest requests as version 7 did;"
        " spec.rollout.rehearsal.agreement wants 71%"
    )


def test_nothing_played_is_nothing_wrong():
    assert judged([], agreement=1.0) == ""


def raised(text: str) -> ValueError:
    with pytest.raises(ValueError, match="could not convert") as failure:
        float(text)
    return failure.value


def test_an_error_is_named_by_its_type_and_line_whatever_it_says():
    error = from_model(raised("the secret"))
    fit = Unfit("column a holds text ('the secret')")
    fit.__cause__ = error
    for each in (error, fit):
        assert culprit(each).startswith("ValueError in raised (test_serving_rehearsal.py:")
    assert culprit(InvalidInput("the secret")) == "InvalidInput"


def test_the_json_that_a_model_may_answer_has_kinds():
    outputs = outputs_in(INVOCATIONS, json.dumps({"predictions": {"a": {"b": [1, None]}}}).encode())
    assert outputs is not None
    assert outputs["a"].kinds == {"numbers", "nulls"}
