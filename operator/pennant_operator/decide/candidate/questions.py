"""Whom to ask how they answered at this moment, and about what: one question at a time."""

from pennant_operator.decide.candidate.answers import question_before_move, question_in_bake
from pennant_operator.decide.candidate.canary_answers import question_in_canary
from pennant_operator.decide.candidate.canary_steps import is_new_share
from pennant_operator.decide.candidate.mirror import is_new_mirror, question_about_mirror
from pennant_operator.decide.candidate.roll import question_in_roll
from pennant_operator.decide.seen.answers import ReportQuestion
from pennant_operator.decide.step import Step


def question_of(step: Step) -> ReportQuestion | None:
    """None: nobody is asked, of nearly every ModelDeployment."""
    return (
        question_in_roll(step)
        or question_before_move(step)
        or question_in_canary(step)
        or question_in_bake(step)
        or question_about_mirror(step)
    )


def is_new_to_pods(step: Step) -> bool:
    """Whether pods are to be told what is not in the status yet: that comes first."""
    return is_new_share(step) or is_new_mirror(step)
