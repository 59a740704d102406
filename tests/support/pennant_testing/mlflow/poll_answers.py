"""What a poll left known, as tests ask for it."""

from __future__ import annotations

from pennant_operator.decide.seen.observed import Absent, ModelVersion, Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll.known import Known


def answers(known: Known) -> dict[Watch, ModelVersion | Absent]:
    """What is certain: a version, or that there is none."""
    states = {watch: answer.state for watch, answer in known.answers.items()}
    return {w: state for w, state in states.items() if isinstance(state, ModelVersion | Absent)}


def unresolved(known: Known) -> dict[Watch, Unresolved]:
    """What was asked for and is not to be had, or not yet."""
    states = {watch: answer.state for watch, answer in known.answers.items()}
    return {watch: state for watch, state in states.items() if isinstance(state, Unresolved)}
