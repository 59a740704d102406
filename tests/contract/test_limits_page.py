"""docs/serving.md tells the limits that the code has, and the variables that set them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pennant_serving import admission, errors
from pennant_serving.batching import policy, weight
from pennant_serving.codecs import size, tensors
from pennant_serving.http import crowd
from pennant_serving.http.connections import limits, reading
from pennant_serving.settings import Settings

pytestmark = pytest.mark.contract

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
SECTION = PAGE.partition("### Limits")[2].partition("\n### ")[0]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| ?(.*?) ?\|$", SECTION, re.MULTILINE)[1:]
DEFAULTS = Settings("m", "1")
LIMITS = {
    "seconds for a request to arrive": DEFAULTS.request_timeout,
    "seconds from then to the answer": DEFAULTS.limits.timeout,
    "seconds in which a client reads nothing": DEFAULTS.request_timeout,
    "bytes of headers": limits.HEAD_LIMIT_BYTES,
    "requests of one connection": reading.UNANSWERED_REQUEST_LIMIT,
    "bytes of a body": admission.BODY_LIMIT_BYTES,
    "bytes of all bodies": admission.ALL_BODIES_LIMIT_BYTES,
    "values in a body": size.VALUE_LIMIT,
    "values that are decoded": weight.MOMENT_VALUES,
    "columns of CSV": size.COLUMN_LIMIT,
    "bytes that Parquet unpacks to": size.UNPACKED_LIMIT_BYTES,
    "dimensions of a tensor": tensors.DIMENSION_LIMIT,
    "requests that wait": policy.WAITING_REQUEST_LIMIT,
    "rows predicted together": DEFAULTS.batch_max_rows,
    "connections": crowd.CONNECTION_LIMIT,
    "characters of an error's message": errors.MESSAGE_LIMIT_CHARACTERS,
}
SET_BY = {
    "PENNANT_REQUEST_TIMEOUT": ("request_timeout", "7"),
    "PENNANT_BATCH_MAX_ROWS": ("batch_max_rows", "7"),
}


@pytest.mark.parametrize(("what", "value"), LIMITS.items(), ids=LIMITS)
def test_every_limit_stands_on_the_page_with_its_default(what, value):
    defaults = [default for limit, default, *_ in ROWS if limit.startswith(what)]
    assert defaults == [f"{value:,.0f}"]


def test_every_variable_that_is_named_for_a_limit_sets_it():
    named = {variable.strip("`") for *_, variable in ROWS if variable}
    assert named == set(SET_BY)
    required = {"PENNANT_MODEL_NAME": "m", "PENNANT_MODEL_VERSION": "1"}
    for variable, (field, value) in SET_BY.items():
        assert getattr(Settings.from_env(required | {variable: value}), field) == int(value)


def test_no_limit_of_the_page_is_unknown_to_the_code():
    known = (*LIMITS, "compressed bodies")
    assert [limit for limit, *_ in ROWS if not limit.startswith(known)] == []
