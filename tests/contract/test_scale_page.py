"""docs/scale.md says what was measured, as docs/scale.json has it."""

import msgspec
import pytest

from bench.scale.report import BEGIN, END, PAGE, Measured, origins, table

pytestmark = pytest.mark.contract


def test_the_page_is_made_of_the_numbers_beside_it():
    found = msgspec.json.decode(PAGE.with_suffix(".json").read_bytes(), type=list[Measured])
    page = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    assert table([each.figures for each in found]) in page
    for run in origins(found):
        assert f"- {run}\n" in page
    assert [each.size for each in found] == sorted(each.size for each in found)
