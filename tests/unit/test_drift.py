"""What makes a child be written, and what is only another's way of writing it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.intent import Event
from pennant_operator.decide.manifests import field_changes, foreign_changes
from pennant_operator.decide.manifests.drift import due_apply
from pennant_testing.memory.drift_cases import (
    ADMITTED,
    BESIDE,
    CHANGES,
    WANTED,
    Change,
    changed,
    pod,
    serve,
    stored,
)
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def spelled(live: dict[str, Any], change: Change) -> dict[str, Any]:
    """The API server or admission stores it otherwise: whose a field is does not change."""
    after = copy.deepcopy(live)
    change(after)
    return after


SPELLINGS: dict[str, Change] = {
    "an empty string goes": lambda o: pod(o).pop("priorityClassName"),
    "an empty value goes": lambda o: serve(o)["env"][0].pop("value"),
    "in a list, too": lambda o: pod(o)["tolerations"][0].pop("effect"),
    "500m": lambda o: serve(o)["resources"]["limits"].update(cpu="500m"),
    "1500M": lambda o: serve(o)["resources"]["limits"].update(memory="1500M"),
    "defaults come": lambda o: serve(o).update(imagePullPolicy="Always"),
}


def test_an_empty_list_with_keys_is_nobodys_and_no_drift():
    wanted = copy.deepcopy(WANTED)
    pod(wanted)["imagePullSecrets"] = []
    live = spelled(stored(wanted), lambda o: pod(o).pop("imagePullSecrets"))
    (own,) = live["metadata"]["managedFields"]
    del own["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:imagePullSecrets"]
    assert due_apply(wanted, live, NOW) is None


def test_what_is_not_there_is_due():
    assert due_apply(WANTED, None, NOW) is not None


def test_what_was_applied_is_not_due_again():
    assert due_apply(WANTED, stored(WANTED), NOW) is None


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS)
def test_the_same_in_other_words_is_no_drift_and_nothing_to_tell(change: Change):
    live = spelled(stored(WANTED), change)
    assert due_apply(WANTED, live, NOW) is None
    assert foreign_changes.admitted_paths(WANTED, live) == frozenset()


@pytest.mark.parametrize(("field", "change"), ADMITTED.values(), ids=ADMITTED)
def test_what_admission_changed_is_accepted_and_told_once(field: str, change: Change):
    live = spelled(stored(WANTED), change)
    assert due_apply(WANTED, live, NOW) is None
    event = foreign_changes.admission_event(WANTED, live, frozenset())
    assert isinstance(event, Event)
    assert event.reason == "FieldChangedByOthers"
    assert f"Deployment rec-blue: {field} was changed by an admission webhook" in event.message
    assert (
        foreign_changes.admission_event(WANTED, live, foreign_changes.admitted_paths(WANTED, live))
        is None
    )


@pytest.mark.parametrize("what", [what for what in CHANGES if what != BESIDE])
def test_what_somebody_changed_is_due(what: str):
    found = due_apply(WANTED, changed(stored(WANTED), CHANGES[what]), NOW)
    assert found is not None
    assert found.lost


def test_what_others_add_beside_ours_is_theirs():
    assert due_apply(WANTED, changed(stored(WANTED), CHANGES[BESIDE]), NOW) is None


def test_what_is_no_longer_wanted_is_due():
    wanted = copy.deepcopy(WANTED)
    del pod(wanted)["nodeSelector"]
    assert due_apply(wanted, stored(WANTED), NOW) is not None


class TestWhatAnOlderOperatorLeft:
    """It left no mark; values tell, and that nothing changed since tells the rest."""

    def test_the_same_is_not_written(self):
        assert due_apply(WANTED, stored(WANTED, None), NOW) is None

    @pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS)
    def test_nor_in_other_words(self, change: Change):
        assert due_apply(WANTED, spelled(stored(WANTED, None), change), NOW) is None

    @pytest.mark.parametrize("size", [1, 3])
    def test_another_size_is(self, size: int):
        wanted = {**WANTED, "spec": {**WANTED["spec"], "replicas": size}}
        assert due_apply(wanted, stored(WANTED, None), NOW) is not None

    def test_what_is_no_longer_wanted_goes(self):
        config = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"url": "u"}}
        before = {**config, "data": {"url": "u", "proxy": "http://gone.example"}}
        assert due_apply(config, stored(config, None), NOW) is None
        assert due_apply(config, stored(before, None), NOW) is not None

    def test_what_somebody_changed_is_set_back(self):
        live = changed(stored(WANTED, None), CHANGES["an image"])
        assert due_apply(WANTED, live, NOW) is not None


def test_an_object_that_lost_its_managed_fields_is_the_same_where_it_says_the_same():
    live = stored(WANTED)
    del live["metadata"]["managedFields"]
    assert due_apply(WANTED, live, NOW) is None
    assert due_apply(WANTED, spelled(live, CHANGES["an image"]), NOW) is not None


VALUES = st.recursive(
    st.text("0123456789.eE+-kKMGTPimnu") | st.text() | st.integers() | st.none() | st.booleans(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
)


@given(VALUES, VALUES)
def test_whatever_the_values_are_they_can_be_compared(applied: Any, live: Any):
    meta = {"name": "x", "managedFields": []}
    wanted = {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": applied}
    found = {"kind": "ConfigMap", "metadata": meta, "data": live}
    due_apply(wanted, found, NOW)
    foreign_changes.admitted_paths(wanted, found)
    assert field_changes.lost_fields(wanted, wanted) == ()


@pytest.mark.parametrize("count", ["9" * 5000, "-1", "x", "\u0663"])
def test_a_count_that_somebody_wrote_is_none(count: str):
    live = changed(stored(WANTED, count=count), CHANGES["an image"])
    assert due_apply(WANTED, live, NOW).times == 1
