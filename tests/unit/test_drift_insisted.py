"""Fields that somebody insists on: set back some times, then accepted, counted and told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pennant_operator.decide.manifests import foreign_changes
from pennant_operator.decide.manifests.drift import MAX_SET_BACKS, SET_BACK_WINDOW, due_apply
from pennant_testing.memory.drift_cases import (
    CHANGES,
    WANTED,
    changed,
    stored,
)
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


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
        live, due, now = stored(WANTED), None, NOW
        for _ in range(times):
            live, now = changed(live, CHANGES[what]), now + pause
            due = due_apply(WANTED, live, now, insist=insist)
            if due is not None:
                live = stored(WANTED, due.mark, now, due.count)
        return live, due

    def test_it_is_set_back_some_times_and_then_accepted(self):
        assert self.fight(MAX_SET_BACKS)[1] is not None
        assert self.fight(MAX_SET_BACKS + 1)[1] is None

    def test_it_is_told_with_the_last_time_by_whom(self):
        _, before = self.fight(MAX_SET_BACKS - 1)
        live, last = self.fight(MAX_SET_BACKS)
        live = changed(live, CHANGES["an image"])
        assert foreign_changes.insistence_event(live, before) is None
        event = foreign_changes.insistence_event(live, last)
        assert event is not None
        assert event.message == (
            "Deployment rec-blue: spec.template.spec.containers[name=serve].image was changed 3 "
            "times by kubectl-edit and set back; from now on it is left as it is changed: let only "
            "one of the two set it"
        )

    def test_who_applies_a_copy_of_the_object_insists_too(self):
        """A copy holds the mark as it was, and no count."""
        live, _ = self.fight(MAX_SET_BACKS)
        annotations = live["metadata"]["annotations"]
        assert (
            annotations["pennant.dev/applied"]
            == stored(WANTED)["metadata"]["annotations"].popitem()[1]
        )
        assert annotations["pennant.dev/set-back"].startswith(f"{MAX_SET_BACKS}.")

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
