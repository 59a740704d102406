"""MLmodel files, whoever wrote them: flavors and signature, or a refusal."""

import pytest

from pennant_registry.gates.mlmodel import read_mlmodel

pytestmark = pytest.mark.unit

MLMODEL_FILE = """\
flavors:
  sklearn: {sklearn_version: 1.9.0}
  python_function: {env: {conda: conda.yaml}}
mlflow_version: 3.17.2
utc_time_created: 2024-13-45
signature:
  inputs: '[{"type": "long", "name": "a"}]'
  outputs: '[{"type": "double"}]'
  params: null
"""


def test_an_mlmodel_file_says_flavors_and_signature():
    facts = read_mlmodel(MLMODEL_FILE)
    assert facts.flavors == ("python_function", "sklearn")
    assert facts.signature == {"inputs": [{"type": "long", "name": "a"}]}
    assert read_mlmodel("flavors: {lightgbm: {}}\nsignature: ~").signature is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no mapping"),
        ("\x00", "no YAML"),
        ("flavors: [a]", "no flavors"),
        ("flavors: {? [a]: b}", "no YAML"),
        ("a: &a {b: *a}", "no YAML"),
        ("[" * 1_000_000, "nested deeper than 64 levels"),
        ("- " * 500_000, "nested deeper than 64 levels"),
        ("flavors: {}\nsignature: {inputs: [a]}", "another shape"),
        ("flavors: {}\nsignature: {inputs: '%s'}" % ("[" * 900_000), "another shape"),
    ],
    ids=lambda text: text[:30],
)
def test_no_text_of_an_mlmodel_file_is_more_than_refused(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        read_mlmodel(text)
