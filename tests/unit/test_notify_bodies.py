"""What a notifier is sent: its template, as JSON, with the news in its texts."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.notify.bodies import PLACEHOLDERS, BadTemplateError, parse_body
from pennant_operator.decide.notify.sentences import values_of
from pennant_operator.decide.registry.registries import parse_registry
from pennant_testing.memory.receivers import notifier

pytestmark = pytest.mark.unit

ENTRY = {
    "id": "c0ffee",
    "occasion": "Rejected",
    "registry": "default",
    "model": "news",
    "alias": "production",
    "version": "8",
    "reason": "LoadFailed",
    "message": "it has no <class 'X'> & says \"no\"",
    "time": "2026-11-21T12:00:00Z",
}
VALUES = values_of(ENTRY, "team", "rec")
TEXT = "team/rec: version 8 of news was rejected (LoadFailed): it has no <class 'X'> & says \"no\""


def test_slack_gets_a_text_in_which_nothing_calls_a_channel_or_is_a_link():
    body = parse_body(None, "Slack").filled({**VALUES, "text": "<!channel> & <http://x|y>"})
    assert body == {"text": "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"}


def test_any_other_gets_every_part_as_it_is():
    body = parse_body(None, "JSON").filled(VALUES)
    assert body == {**ENTRY, "text": TEXT, "namespace": "team", "name": "rec", "previous": ""}
    assert tuple(body) == PLACEHOLDERS


def test_a_template_is_filled_wherever_it_has_a_text():
    template = (
        '{"$schema": "x", "a": ["${version}: ${reason}", 7, null, {"${name}": "${occasion}"}]}'
    )
    filled = parse_body(template, "JSON").filled(VALUES)
    assert filled == {"$schema": "x", "a": ["8: LoadFailed", 7, None, {"rec": "Rejected"}]}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"occasion": "Serving", "previous": "7"}, "version 8 of news serves, after version 7"),
        ({"occasion": "Serving"}, "version 8 of news serves"),
        (
            {"occasion": "RolledBack", "previous": "9"},
            "the traffic went back to version 8 of news from version 9",
        ),
        (
            {"occasion": "Held", "reason": "GateNotPassed", "message": "auc is low"},
            "version 8 of news is held (GateNotPassed): auc is low",
        ),
        (
            {"occasion": "Held", "version": "", "reason": "Braked", "message": "too many"},
            "news is held (Braked): too many",
        ),
    ],
)
def test_each_occasion_has_a_sentence(entry: dict[str, str], text: str):
    about = {"version": "8", "model": "news", **entry}
    assert values_of(about, "team", "rec")["text"] == f"team/rec: {text}"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (
            '{"text": "${texT}"}',
            r"has \$\{texT\}, which stands for nothing: use some of \$\{text\}",
        ),
        ('{"text": "${}"}', r"has \$\{\}, which stands for nothing"),
        ('{"a": ["${url}"]}', r"has \$\{url\}"),
        ('{"${nam}": 1}', r"has \$\{nam\}"),
        ('{"n": ${version}}', r"is not JSON \(.*within the quotes of a text"),
        ("text", "is not JSON"),
        ("[" * 7000, "is not JSON"),
        ("[" * 3000 + "]" * 3000, "is not JSON"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_by_name(template: str, fault: str):
    with pytest.raises(BadTemplateError, match=fault):
        parse_body(template, "JSON")


def test_a_bad_template_spoils_its_own_notifier_and_no_registry():
    spec = {
        "url": "http://mlflow",
        "notify": [
            {"name": "bad", "urlSecret": {"name": "a"}, "template": '{"x": "${oops}"}'},
            {"name": "good", "urlSecret": {"name": "b", "key": "hook"}, "occasions": ["Held"]},
        ],
    }
    bad, good = parse_registry({"metadata": {"name": "default"}, "spec": spec}).notifiers
    assert bad.body is None
    assert bad.fault.startswith("spec.notify bad template has ${oops}, which stands for nothing")
    assert (good.secret, good.key, good.occasions) == ("b", "hook", {"Held"})
    assert good.body is not None
    assert notifier().occasions == {"Serving", "Held", "Rejected", "RolledBack"}


@given(st.text(), st.sampled_from(["Slack", "JSON"]))
def test_whatever_a_model_says_what_is_sent_is_json_of_the_same_form(words: str, form: str):
    template = json.dumps({"attachments": [{"content": {"text": "a ${message} b", "n": 1}}]})
    filled = parse_body(template, form).filled({**VALUES, "message": words})
    sent = json.loads(json.dumps(filled))
    text = sent["attachments"][0]["content"].pop("text")
    assert sent == {"attachments": [{"content": {"n": 1}}]}
    if set(words) <= set(string.ascii_letters):
        assert text == f"a {words} b"
