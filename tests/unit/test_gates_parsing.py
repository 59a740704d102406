"""Gates and MLmodel files as they are written: what is read, and what is refused."""

from __future__ import annotations

import json
import sys

import pytest

from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import BundleFacts, bundle_facts, parse
from pennant_registry.gates.facts import tagged
from pennant_registry.names import TAG_VALUE_LIMIT
from pennant_testing.judged_versions import COLUMNS, column, takes

pytestmark = pytest.mark.unit

WEEKEND = {"cron": "0 18 * * 5", "for": "62h", "timeZone": "Europe/Berlin"}
MLMODEL = {
    "flavors": {"sklearn": {}, "python_function": {}},
    "signature": {"inputs": json.dumps(COLUMNS), "outputs": "[]", "params": None},
}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"metric": []}, "gates is 'metric': its keys are metrics, tags"),
        ({"metrics": {"name": "auc"}}, "gates.metrics is {'name': 'auc'}: write a list"),
        ({"metrics": ["auc"]}, "gates.metrics[0] is 'auc': write a mapping with name, min"),
        ({"metrics": [{"name": "auc"}]}, "gates.metrics[0] is {'name': 'auc'}: give it min, max"),
        ({"metrics": [{"min": "1", "max": "2"}]}, "gates.metrics[0].name is None: write a text"),
        (
            {"metrics": [{"name": "auc", "min": 0.3}]},
            "gates.metrics[0].min is 0.3: write a decimal",
        ),
        ({"metrics": [{"name": "auc", "min": "nan"}]}, "gates.metrics[0].min is 'nan'"),
        ({"metrics": [{"name": "auc", "maxDrop": "-1"}]}, "gates.metrics[0].maxDrop is '-1'"),
        ({"metrics": [{"name": "auc", "min": "2%"}]}, "gates.metrics[0].min is '2%'"),
        ({"tags": [{"key": ""}]}, "gates.tags[0].key is '': write a text"),
        ({"tags": [{"key": "approved", "value": True}]}, "value is True: write it in quotes"),
        ({"flavors": "sklearn"}, "gates.flavors is 'sklearn': write a list"),
        ({"signature": "Same"}, "gates.signature is 'Same': write Compatible or Any"),
        ({"closed": [{**WEEKEND, "cron": "soon"}]}, "gates.closed[0].cron is 'soon': write five"),
        ({"closed": [{**WEEKEND, "cron": "0 0 18 * * 5"}]}, "'0 0 18 * * 5': write five fields"),
        ({"closed": [{**WEEKEND, "for": "2d"}]}, "gates.closed[0].for: '2d' is not a duration"),
        ({"closed": [{**WEEKEND, "timeZone": "Berlin"}]}, "timeZone is 'Berlin': write an IANA"),
        ({"closed": [{**WEEKEND, "timeZone": "../etc"}]}, "timeZone is '../etc': write an IANA"),
    ],
)
def test_a_gate_that_cannot_be_read_is_named_with_its_value(spec, words):
    with pytest.raises(InvalidGateError) as raised:
        parse(spec)
    assert words in str(raised.value)


def test_closed_times_without_the_package_that_reads_cron_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(
        InvalidGateError, match=r"gates\.closed\[0\]\.cron needs the package cronsim"
    ):
        parse({"closed": [WEEKEND]})


def test_what_an_mlmodel_file_says_comes_back_from_its_tags():
    known = bundle_facts(MLMODEL)
    assert known == BundleFacts(("python_function", "sklearn"), {"inputs": list(COLUMNS)})
    assert tagged(*known.tags()) == known
    assert tagged(*BundleFacts().tags()) == BundleFacts()
    assert tagged(None, "none") is None


def test_a_signature_that_no_tag_holds_is_left_out():
    long = takes(*(column(f"column-{at}") for at in range(TAG_VALUE_LIMIT // 50)))
    assert long.tags() == ("sklearn", None)


@pytest.mark.parametrize(
    "mlmodel",
    [
        {},
        {"flavors": []},
        MLMODEL | {"signature": {"inputs": "[1]"}},
        MLMODEL | {"signature": {"inputs": "{"}},
    ],
)
def test_an_mlmodel_file_that_is_none_is_refused(mlmodel):
    with pytest.raises(ValueError, match=r"MLmodel|signature|Expecting"):
        bundle_facts(mlmodel)
