"""The truth table of conditions, whole: read it as a user would, and its diff as a reviewer.

UPDATE_GOLDEN=1 rewrites tests/golden/conditions.md.
"""

import os
from collections import defaultdict
from pathlib import Path

import pytest

from pennant_testing.memory.edited_situations import ANSWERS, PASTS, silent_since
from pennant_testing.memory.situation_parts import SERVING, SPECS, UNKNOWN, Case
from pennant_testing.memory.situations import table

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden" / "conditions.md"
TYPES = ("Ready", "Reconciling", "Stalled", "AliasInSync")
FLAWS = ("None", ".;", "..", "; ;", "  ", ". ;", "::")
STALLS = ("NotAllowed", "InvalidSpec", "NameConflict", "WriteRefused")
HEAD = """# The truth table of conditions

What a ModelDeployment with two replicas says in every situation that can occur. Made by
tests/unit/test_conditions.py, from situations.py in tests/support; to rewrite it:

    UPDATE_GOLDEN=1 .venv/bin/pytest tests/unit/test_conditions.py

- *spec*: follows an alias or a stage (which holds versions 5 and 7 beside), pins version 8, has
  `onAliasRemoved: ScaleDown`, is suspended, or has `replicas: 0`; or cannot be acted on. One that
  was edited served version 7 before that, of an alias; so did one whose operator was restarted.
- *desired*: what the registry says: a version, that there is nothing to follow, that this may not
  be had, a version whose bytes are nowhere to be found (as it does of a model that is hidden, and
  after a start of what it was seen once not to have), or nothing (not asked yet after a start;
  unreachable for 15 minutes). `8, now unreachable`, `8, now hidden`: version 8 was the last answer,
  and its record is there.
- *serving*: the version with the traffic, and how many of its pods are ready; `withdrawn`: nothing
  since the alias was removed.
- *candidate*: what is on its way, and what was made of it.
"""

Row = tuple[tuple[str, str, str], tuple[str, ...]]


def rows() -> dict[Row, list[str]]:
    """Which specs make each row: most things are said alike whatever is followed."""
    specs: dict[Row, list[str]] = defaultdict(list)
    for case, outcome in table().items():
        specs[case[1:], outcome.words].append(case.spec)
    return specs


def the_table() -> str:
    head = ("", *Case._fields, "Status", *TYPES)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for number, ((case, words), specs) in enumerate(rows().items(), 1):
        lines.append(f"| {' | '.join((str(number), ', '.join(specs), *case, *words))} |")
    return "\n".join(lines)


def ranges(numbers: list[int]) -> str:
    """As 1-3, 7."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def messages() -> str:
    """Every message once, with the rows that print it."""
    numbers = {row: number for number, row in enumerate(rows(), 1)}
    printed: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for case, outcome in table().items():
        for kind, condition in outcome.conditions.items():
            word = f"{condition['status']} {condition['reason']}"
            printed[kind, word, condition["message"]].append(numbers[case[1:], outcome.words])
    parts = []
    for kind in TYPES:
        parts.append(f"## {kind}\n")
        parts += [
            f"- **{word}**: {message} ({ranges(numbers)})"
            for (of, word, message), numbers in sorted(printed.items())
            if of == kind
        ]
        parts.append("")
    return "\n".join(parts)


def test_every_situation_says_what_is_the_case():
    text = f"{HEAD}\n{the_table()}\n\n{messages()}"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text


def test_every_condition_is_there_and_ready_means_answering():
    for case, outcome in table().items():
        assert tuple(outcome.conditions) == TYPES, case
        answers = bool(SERVING[case.serving].get("ready"))
        assert (outcome.conditions["Ready"]["status"] == "True") == answers, case


def test_no_message_is_put_together_badly():
    texts = {c["message"] for outcome in table().values() for c in outcome.conditions.values()}
    assert [text for text in texts for flaw in FLAWS if flaw in text] == []
    assert [text for text in texts if not text or text.rstrip(".") != text] == []


def test_nothing_but_a_refusal_stalls_while_something_serves():
    for case, outcome in table().items():
        stalled = outcome.conditions["Stalled"]
        if "serving" in SERVING[case.serving]:
            assert (stalled["status"] == "True") == (stalled["reason"] in STALLS), case


def test_an_outage_says_nothing_new_of_what_serves():
    for case, outcome in table().items():
        if (
            case.spec in SPECS
            and case.desired in UNKNOWN
            and case.serving == "7"
            and case.candidate == "-"
        ):
            assert outcome.conditions["Ready"]["status"] == "True"
            assert outcome.conditions["AliasInSync"]["status"] == "Unknown"


def test_a_spec_that_was_edited_and_is_not_judged_anew_is_not_settled():
    for case, outcome in table().items():
        if "edited" in case.spec and "(suspended)" not in case.spec and "size" not in case.spec:
            assert outcome.conditions["Reconciling"]["status"] == "True", case


def test_a_restart_and_another_size_take_nothing_back_before_the_registry_was_asked():
    for name in ("restart", "restart (alias removed before)", "restart (suspended before 8)"):
        before = silent_since(PASTS[name], None).status
        assert silent_since(PASTS[name], "not asked yet").status == before
    condition = table()[Case("size edited", "not asked yet", "7", "-")].conditions["AliasInSync"]
    assert (condition["status"], condition["reason"]) == ("True", "InSync")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", PASTS)
def test_what_is_said_of_an_edit_is_said_again_at_the_next_look(name, answer):
    sim = silent_since(PASTS[name], answer)
    while sim.condition("Reconciling")[1] == "Scaling":  # the pods that are too many end
        sim.step()
    if "candidate" not in sim.status:
        before = sim.condition("AliasInSync"), sim.condition("Reconciling")
        sim.run(2)
        assert (sim.condition("AliasInSync"), sim.condition("Reconciling")) == before
        assert sim.status["observedGeneration"] == sim.owner["metadata"]["generation"]
