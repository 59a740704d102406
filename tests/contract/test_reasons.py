"""Every reason is given by the code, named by a test, and has a fault where a candidate gets it.

That pages have them is in test_troubleshooting.py and test_docs.py.
"""

import re
from pathlib import Path

import pytest

from pennant_operator.decide.candidate.faults import FAULTS
from pennant_operator.decide.vocabulary import EventReason, Reason
from pennant_serving.failures import Reason as PodReason

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]


def sources() -> str:
    """The operator's code; neither the words themselves nor whose fault each is gives one."""
    folder = ROOT / "operator" / "pennant_operator"
    texts = [path.read_text() for path in folder.rglob("*.py") if path.name != "vocabulary.py"]
    return re.sub(r"Reason\.\w+: Consequence\(", "", "".join(texts))


def asserted() -> str:
    """All tests but those that compare lists, and the truth table that one of them holds."""
    modules = (path for path in (ROOT / "tests").rglob("*.py") if path.parent.name != "contract")
    table = ROOT / "tests" / "golden" / "conditions.md"
    return "".join(path.read_text() for path in (*modules, table))


CODE, TESTS = sources(), asserted()
# Asked of, or said of, what has the traffic, or a share of it.
OF_WHAT_SERVES = {
    Reason.CRASHED_IN_BAKE,
    Reason.ERRORS_IN_BAKE,
    Reason.SLOW_IN_BAKE,
    Reason.ERRORS_IN_CANARY,
    Reason.SLOW_IN_CANARY,
    Reason.NO_POD_READY,
}


def is_given(reason: Reason | EventReason) -> bool:
    by_a_container = isinstance(reason, Reason) and str(reason) in list(PodReason)
    return by_a_container or bool(re.search(rf"\b{type(reason).__name__}\.{reason.name}\b", CODE))


def test_every_reason_is_given_somewhere_in_the_code():
    assert {each for each in (*Reason, *EventReason) if not is_given(each)} == set()


@pytest.mark.parametrize("reason", [*Reason, *EventReason])
def test_every_reason_is_named_by_a_test(reason: Reason | EventReason):
    named = rf"\b{reason}\b|\b{type(reason).__name__}\.{reason.name}\b"
    assert re.search(named, TESTS)


def test_every_reason_that_a_candidate_gets_has_a_fault():
    folder = ROOT / "operator" / "pennant_operator" / "decide" / "candidate"
    names = (re.findall(r"\bReason\.(\w+)", path.read_text()) for path in folder.glob("*.py"))
    assert {Reason[name] for each in names for name in each} - FAULTS.keys() == OF_WHAT_SERVES
