"""What makes a child be written, and what is only another's way of writing it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.intent import Event
from pennant_operator.decide.manifests import field_changes, foreign_changes
from pennant_operator.decide.manifests.drift import (
    MAX_SET_BACKS,
    SET_BACK_WINDOW,
    DueApply,
    due_apply,
    with_mark,
)
from pennant_operator.decide.times import format_time
from pennant_testing.memory import managed_fields
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "rec-blue", "namespace": "team", "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"labels": {"pennant.dev/revision": "abc"}},
            "spec": {
                "priorityClassName": "",
                "tolerations": [{"key": "k", "effect": ""}],
                "nodeSelector": {"zone": "a"},
                "containers": [
                    {
                        "name": "serve",
                        "image": "serving:1",
                        "env": [{"name": "A", "value": ""}, {"name": "B", "value": "b"}],
                        "resources": {"limits": {"cpu": ".5", "memory": "1.5e9"}},
                    }
                ],
            },
        },
    },
}
Change = Callable[[dict[str, Any]], object]


def stored(
    wanted: dict[str, Any], mark: str | None = "", at: Any = NOW, count: str = ""
) -> dict[str, Any]:
    """As the API server has it after an apply; without a mark as an older operator left it."""
    if mark is not None:
        found = due_apply(wanted, None, at)
        assert found is not None
        wanted = with_mark(wanted, DueApply(mark or found.mark, count))
    live = copy.deepcopy(wanted)
    ours = managed_fields.of_applied(wanted)
    live["metadata"]["managedFields"] = managed_fields.entries(ours, format_time(at), others=False)
    return live


def changed(live: dict[str, Any], change: Change) -> dict[str, Any]:
    """Somebody changes it with a request of their own."""
    after = copy.deepcopy(live)
    change(after)
    (own,) = (e for e in live["metadata"]["managedFields"] if e["manager"] == "pennant")
    ours = managed_fields.kept(own["fieldsV1"], live, after)
    told = managed_fields.entries(ours, own["time"], others=True)
    after["metadata"]["managedFields"] = told
    return after


def spelled(live: dict[str, Any], change: Change) -> dict[str, Any]:
    """The API server or admission stores it otherwise: whose a field is does not change."""
    after = copy.deepcopy(live)
    change(after)
    return after


def pod(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]
    return found


def serve(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod(live)["containers"][0]
    return found


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


BESIDE = "one more container"
ADMITTED: dict[str, tuple[str, Change]] = {
    "a number": ("spec.replicas", lambda o: o["spec"].update(replicas=3)),
    "an image": (
        "spec.template.spec.containers[name=serve].image",
        lambda o: serve(o).update(image="mirror/serving:1"),
    ),
    "one more": (
        "spec.template.spec.tolerations",
        lambda o: pod(o)["tolerations"].append({"key": "x"}),
    ),
    BESIDE: (
        "spec.template.spec.containers",
        lambda o: pod(o)["containers"].append({"name": "sidecar"}),
    ),
    "one fewer": (
        "spec.template.spec.containers[name=serve].env[name=B]",
        lambda o: serve(o)["env"].pop(),
    ),
    "another amount": (
        "spec.template.spec.containers[name=serve].resources.limits.cpu",
        lambda o: serve(o)["resources"]["limits"].update(cpu="600m"),
    ),
}
CHANGES: dict[str, Change] = {what: change for what, (_, change) in ADMITTED.items()} | {
    "a label goes": lambda o: o["metadata"]["labels"].pop("a"),
    "a map gets another": lambda o: pod(o).update(nodeSelector={"zone": "a", "x": "y"}),
    "an empty value is set": lambda o: serve(o)["env"][0].update(value="set"),
    "a list goes": lambda o: serve(o).pop("env"),
}


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
    told = foreign_changes.admission_event(WANTED, live, frozenset())
    assert isinstance(told, Event)
    assert told.reason == "FieldChangedByOthers"
    assert f"Deployment rec-blue: {field} was changed by an admission webhook" in told.message
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


class TestWhatSomebodyInsistsOn:
    def fight(
        self,
        times: int,
        *,
        insist: bool = False,
        pause: timedelta = timedelta(0),
        what: str = "an image",
    ):
        """Set back so often, and changed again each time."""
        live, found, now = stored(WANTED), None, NOW
        for _ in range(times):
            live, now = changed(live, CHANGES[what]), now + pause
            found = due_apply(WANTED, live, now, insist=insist)
            if found is not None:
                live = stored(WANTED, found.mark, now, found.count)
        return live, found

    def test_it_is_set_back_some_times_and_then_accepted(self):
        assert self.fight(MAX_SET_BACKS)[1] is not None
        assert self.fight(MAX_SET_BACKS + 1)[1] is None

    def test_it_is_told_with_the_last_time_by_whom(self):
        _, before = self.fight(MAX_SET_BACKS - 1)
        live, last = self.fight(MAX_SET_BACKS)
        live = changed(live, CHANGES["an image"])
        assert foreign_changes.insistence_event(live, before) is None
        told = foreign_changes.insistence_event(live, last)
        assert told is not None
        assert told.message == (
            "Deployment rec-blue: spec.template.spec.containers[name=serve].image was changed 3 "
            "times by kubectl-edit and set back; from now on it is left as it is changed: let only "
            "one of the two set it"
        )

    def test_who_applies_a_copy_of_the_object_insists_too(self):
        """A copy holds the mark as it was, and no count."""
        live, _ = self.fight(MAX_SET_BACKS)
        told = live["metadata"]["annotations"]
        assert told["pennant.dev/applied"] == stored(WANTED)["metadata"]["annotations"].popitem()[1]
        assert told["pennant.dev/set-back"].startswith(f"{MAX_SET_BACKS}.")

    def test_without_the_mark_the_count_starts_again(self):
        live, _ = self.fight(MAX_SET_BACKS + 1)
        assert due_apply(WANTED, live, NOW) is None
        unmarked = changed(live, lambda o: o["metadata"]["annotations"].pop("pennant.dev/applied"))
        found = due_apply(WANTED, unmarked, NOW)
        assert found is not None
        assert not found.last

    def test_an_edit_now_and_then_is_no_insisting(self):
        assert self.fight(3 * MAX_SET_BACKS, pause=SET_BACK_WINDOW)[1] is not None

    def test_what_was_accepted_is_so_for_good(self):
        live, _ = self.fight(MAX_SET_BACKS + 1)
        assert due_apply(WANTED, live, NOW + 2 * SET_BACK_WINDOW) is None
        assert due_apply(WANTED, live, NOW + 2 * SET_BACK_WINDOW, insist=True) is not None

    def test_another_edit_after_that_is_set_back(self):
        live, _ = self.fight(MAX_SET_BACKS + 1)
        live = changed(live, CHANGES["a list goes"])
        assert due_apply(WANTED, live, NOW) is None
        found = due_apply(WANTED, live, NOW + SET_BACK_WINDOW)
        assert found is not None
        assert found.times == 1

    def test_what_the_rollout_depends_on_is_set_back_each_time(self):
        _, found = self.fight(3 * MAX_SET_BACKS, insist=True)
        assert found is not None

    def test_what_a_child_is_known_by_is_set_back_each_time(self):
        _, found = self.fight(3 * MAX_SET_BACKS, what="a label goes")
        assert found is not None
        assert not found.last

    def test_something_new_to_say_is_said(self):
        live, _ = self.fight(MAX_SET_BACKS + 1)
        wanted = {**WANTED, "spec": {**WANTED["spec"], "replicas": 3}}
        assert due_apply(wanted, live, NOW) is not None

    @pytest.mark.parametrize("mark", ["", ".", "x.y", "0.9"])
    def test_a_mark_that_somebody_wrote_is_none(self, mark: str):
        assert due_apply(WANTED, stored(WANTED, mark or "."), NOW) is not None


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
