"""When a status is caught telling what is not so."""

import pytest

from pennant_testing.truth.status_truth import (
    Claim,
    Disagreement,
    Sample,
    claim_of,
    claims_since,
    disagreements,
    problem,
    tally,
)

pytestmark = pytest.mark.unit

SERVES_1 = Claim(ready=True, version="1")
BOTH = Claim(ready=True, version="1", alongside="2")
OUT = Claim(ready=False, version="1")


def sample(at=0.0, *claim, answers="1", of="news"):
    return Sample(at, of, claim or (SERVES_1,), answers is not None, answers or "")


@pytest.mark.parametrize(
    ("claim", "answers", "wrong"),
    [
        (SERVES_1, "1", ""),
        (SERVES_1, "2", "version 1 is said to serve, and version 2 answers"),
        (SERVES_1, None, "Ready is True, and nothing answers"),
        (BOTH, "2", ""),
        (BOTH, "3", "version 1 is said to serve, and version 3 answers"),
        (OUT, "1", "Ready is False, and version 1 answers"),
        (OUT, None, ""),
        (Claim(ready=False), None, ""),
        (Claim(), "1", ""),
        (Claim(), None, ""),
    ],
    ids=[
        "it serves what it says",
        "another version answers",
        "nothing answers",
        "what takes over answers, too",
        "a third version answers",
        "it answers although not ready",
        "scaled to zero",
        "nothing served yet",
        "no status yet, as right after it was made again",
        "no status, no answer",
    ],
)
def test_a_sample_agrees_with_the_status_or_says_why_not(claim, answers, wrong):
    assert problem(sample(0, claim, answers=answers)) == wrong


def test_an_answer_may_agree_with_any_status_from_while_it_was_under_way():
    serves_2 = Claim(ready=True, version="2")
    assert problem(sample(0, SERVES_1, serves_2)) == ""
    assert problem(sample(0, SERVES_1, serves_2, answers="2")) == ""
    wrong = "version 2 is said to serve, and version 3 answers"
    assert problem(sample(0, SERVES_1, serves_2, answers="3")) == wrong


@pytest.mark.parametrize(("begun", "wanted"), [(0, "123"), (1, "123"), (2.5, "23"), (9, "3")])
def test_what_was_said_since_a_request_began_starts_with_what_held_then(begun, wanted):
    claims = [(at, Claim(ready=True, version=str(at))) for at in (1, 2, 3)]
    assert "".join(claim.version for claim in claims_since(claims, begun)) == wanted


def test_a_server_that_names_no_version_is_judged_by_its_answering_alone():
    assert problem(sample(answers="")) == ""
    assert problem(sample(0, OUT, answers="")) == "Ready is False, and version unnamed answers"


def test_a_disagreement_lasts_from_its_first_to_its_last_sample():
    samples = [sample(0), sample(1, answers="2"), sample(3.5, answers="2"), sample(4)]
    wrong = "version 1 is said to serve, and version 2 answers"
    assert disagreements(samples) == [Disagreement("news", wrong, 1, 3.5)]


def test_it_counts_only_when_it_outlasts_four_seconds():
    short, long = Disagreement("news", "", 0, 4.0), Disagreement("news", "", 0, 4.1)
    assert not short.counts
    assert long.counts


def test_an_agreement_in_between_ends_it():
    samples = [sample(0, answers=None), sample(1.5), sample(3, answers=None)]
    assert [each.seconds for each in disagreements(samples)] == [0, 0]


def test_another_wrong_word_begins_another_one():
    serves_2 = Claim(ready=True, version="2")
    samples = [sample(0, answers="2"), sample(3, serves_2), sample(6, answers="2")]
    assert not any(each.counts for each in disagreements(samples))


def test_pods_that_drain_after_a_scale_to_zero_may_answer_for_half_a_minute():
    gone = Claim(ready=False, version="1", leaving=True)
    short, long = ([sample(at, gone) for at in (0, last)] for last in (29, 31))
    assert not disagreements(short)[0].counts
    assert disagreements(long)[0].counts
    assert str(tally(short)).endswith("0 disagreements of more than 4 s, the longest 0.0 s")


def test_each_modeldeployment_is_judged_by_itself():
    samples = [sample(at, of=of, answers=None) for at in (0, 5) for of in ("news", "ads")]
    assert {each.of for each in disagreements(samples) if each.counts} == {"news", "ads"}


def test_the_last_line_tells_samples_disagreements_and_the_longest():
    samples = [sample(0, answers=None), sample(4.5, answers=None), sample(1, of="ads")]
    assert str(tally(samples)) == (
        "3 samples of 2 ModelDeployments, 1 disagreements of more than 4 s, the longest 4.5 s"
    )
    assert str(tally([])).startswith("0 samples")


def test_what_a_status_claims_is_its_ready_condition_and_its_serving_version():
    status = {
        "serving": {"version": "7"},
        "conditions": [
            {"type": "Stalled", "status": "False"},
            {"type": "Ready", "status": "True", "reason": "Serving"},
        ],
    }
    assert claim_of(status) == Claim(ready=True, version="7")
    for reason in ("ScaledToZero", "HandingOver"):
        status["conditions"][1] |= {"status": "False", "reason": reason}
        assert claim_of(status) == Claim(ready=False, version="7", leaving=True)
    assert claim_of({}) == Claim()
