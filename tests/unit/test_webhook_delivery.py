"""Which hooks are genuine, timely and new, and what they say to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.webhook.delivery import (
    CLOCK_TOLERANCE_SECONDS,
    Delivery,
    TagsChanged,
    delivery,
    hint,
    signature,
)
from pennant_operator.observe.webhook.remembered import Remembered

pytestmark = pytest.mark.unit

NOW = 1_795_198_751
GOLDEN = Path(__file__).parents[1] / "golden" / "webhook-signatures.json"
SIGNED: list[dict[str, str]] = json.loads(GOLDEN.read_text())
"""Made by mlflow.webhooks.delivery of MLflow 3.17.2."""


def hook(body: bytes = b"{}", sent: int = NOW, name: str = "d-1", secret: bytes = b"s") -> Delivery:
    unsigned = Delivery(name, sent, "", body)
    return Delivery(name, sent, signature(secret, unsigned), body)


def headers(**changed: str) -> dict[str, str]:
    made = hook()
    return {
        "X-MLflow-Delivery-Id": made.id,
        "X-MLflow-Timestamp": str(made.sent),
        "X-MLflow-Signature": made.signature,
    } | {f"X-MLflow-{name}": value for name, value in changed.items()}


@pytest.mark.parametrize("case", SIGNED, ids=lambda c: c["delivery"][:8])
def test_what_mlflow_signed_is_genuine(case: dict[str, str]):
    came = delivery(
        {
            "X-MLflow-Delivery-Id": case["delivery"],
            "X-MLflow-Timestamp": case["timestamp"],
            "X-MLflow-Signature": case["signature"],
        },
        case["body"].encode(),
    )
    assert came is not None
    assert came.signed_with(case["secret"].encode())
    assert not came.signed_with(case["secret"].encode() + b"x")


@given(
    body=st.binary(max_size=50),
    other=st.binary(max_size=50),
    name=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    moved=st.integers(-5, 5),
)
def test_nothing_that_is_signed_can_be_changed(body: bytes, other: bytes, name: str, moved: int):
    made = hook(body)
    changed = Delivery(name, made.sent + moved, made.signature, other)
    same = (name, moved, other) == (made.id, 0, body)
    assert changed.signed_with(b"s") == same


@pytest.mark.parametrize("signature", ["", "v1,", "v1", "v2,AAAA", "v1,ü", "v1,AAAA v1,BBBB"])
def test_another_signature_is_refused(signature: str):
    made = hook()
    assert not Delivery(made.id, made.sent, signature, made.body).signed_with(b"s")


@pytest.mark.parametrize("early", [1, -1])
def test_the_time_window_is_the_same_into_the_past_and_the_future(early: int):
    assert hook(sent=NOW + early * int(CLOCK_TOLERANCE_SECONDS)).timely(NOW)
    assert not hook(sent=NOW + early * int(CLOCK_TOLERANCE_SECONDS + 1)).timely(NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Timestamp": "soon"},
        {"Timestamp": "-1"},
        {"Timestamp": "1" * 13},
        {"Timestamp": "١٢"},
        {"Delivery-Id": ""},
        {"Delivery-Id": "x" * 101},
        {"Delivery-Id": "a b"},
    ],
)
def test_headers_that_mlflow_does_not_send_are_refused(wrong: dict[str, str]):
    assert delivery(headers(**wrong), b"{}") is None
    assert delivery(headers(), b"{}") == hook()


@pytest.mark.parametrize(
    ("about", "data", "question"),
    [
        ("model_version_alias.created", {"alias": "a", "version": "2"}, {"alias": "a"}),
        ("model_version_alias.deleted", {"alias": "a"}, {"alias": "a"}),
        ("model_version.created", {"version": "2", "source": "runs:/x"}, {"version": "2"}),
        ("registered_model.created", {}, None),
        ("prompt_alias.created", {"alias": "a", "version": "2"}, None),
    ],
)
def test_an_event_becomes_the_question_that_it_may_have_changed(
    about: str, data: dict[str, Any], question: dict[str, str] | None
):
    entity, action = about.split(".")
    body = json.dumps({"entity": entity, "action": action, "data": {"name": "cars", **data}})
    expected = Watch("default", "cars", **question) if question is not None else None
    assert hint("default", body.encode()) == expected


@pytest.mark.parametrize("action", ["set", "deleted"])
def test_a_tag_of_a_version_is_a_question_of_its_own(action: str):
    said = {"name": "cars", "version": "2", "key": "approved"}
    body = json.dumps({"entity": "model_version_tag", "action": action, "data": said})
    assert hint("default", body.encode()) == TagsChanged("cars", "2")


@pytest.mark.parametrize("key", ["pennant.eu-1.team.cars", "pennant.eu-1.team.cars.decision"])
@pytest.mark.parametrize("action", ["set", "deleted"])
def test_what_clusters_write_into_tags_is_no_question(action: str, key: str):
    data = {"name": "cars", "version": "2", "key": key, "value": "serving"}
    body = json.dumps({"entity": "model_version_tag", "action": action, "data": data})
    assert hint("default", body.encode()) is None


@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(max_size=3), st.lists).map(repr))
def test_no_body_is_trouble(body: bytes | str):
    assert hint("default", body if isinstance(body, bytes) else body.encode()) is None


@pytest.mark.parametrize("body", ["[]", '{"entity": 1, "action": 2}', '{"data": []}', "[" * 9999])
def test_json_of_another_shape_is_no_trouble_either(body: str):
    assert hint("default", body.encode()) is None


@given(
    most=st.integers(1, 4),
    came=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 900)), max_size=40),
)
def test_no_delivery_is_taken_twice_and_memory_is_bounded(most: int, came: list[tuple[str, int]]):
    """Each name has its own time; `came` says which of them comes when."""
    remembered, taken = Remembered(most), set()
    for name, now in sorted(came, key=lambda each: each[1]):
        sent = 100 * "abcdef".index(name)
        if abs(now - sent) <= CLOCK_TOLERANCE_SECONDS and remembered.take(name, sent, now):
            assert name not in taken
            taken.add(name)
        assert len(remembered) <= most


def test_what_is_new_is_taken_in_any_order_while_there_is_room():
    remembered = Remembered()
    assert all(remembered.take(f"d{n}", NOW - n % 7, NOW) for n in range(100))
    assert len(remembered) == 100
    assert remembered.take("later", NOW + 400, NOW + 400)
    assert len(remembered) == 1
