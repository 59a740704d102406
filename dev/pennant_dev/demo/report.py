"""The table at the end of the demo, and whether it went well. Pure."""

from collections.abc import Sequence

from newsreco.loadgen_report import reasons
from pennant_dev.demo.story import Act, Story

HEADER = ("act", "alias", "webhook", "first new answer", "last old answer", "requests", "failed")


def table(story: Story) -> str:
    """Aligned rows, one an act, and the sum."""
    rows = [_cells(story, act) for act in story.acts]
    total = ("all", "", "", "", "", str(len(story.rows)), story.failed_in_words(story.rows))
    return _aligned([HEADER, *rows, total])


def alias_to_answer(story: Story) -> str:
    """One line: how long traffic took to follow the alias, and who told the operator."""
    moves = [
        (act.move.new, story.timing_of(act), story.hooked(act)) for act in story.acts if act.move
    ]
    answered = [
        f"v{new} answered after {timing.first_new:.1f} s"
        + (" (by webhook)" if hooked is not None else " (by poll)")
        for new, timing, hooked in moves
        if timing.first_new is not None
    ]
    return f"from alias to answer: {', '.join(answered) or 'no alias moved under traffic'}"


def problems(story: Story) -> list[str]:
    """Sentences about what should not have happened; none when the demo went well."""
    sentences = [f"{count} requests failed: {why}" for why, count in reasons(story.failed).items()]
    if story.went_back and not story.shown_failing(story.rows):
        sentences.append(f"version {story.went_back} went back, and none of its answers had failed")
    if story.mismatched:
        row = story.mismatched[0]
        sentences.append(
            f"{len(story.mismatched)} answers disagree with their version header, "
            f"such as version {row.version!r} with marker {row.marker!r}"
        )
    if not story.rows:
        sentences.append("no request was made")
    return sentences


def _cells(story: Story, act: Act) -> tuple[str, ...]:
    rows, timing = story.rows_of(act), story.timing_of(act)
    move = f"v{act.move.old} -> v{act.move.new}" if act.move else "-"
    return (
        f"{act.number}. {act.title}",
        move,
        _seconds(story.hooked(act)),
        _seconds(timing.first_new),
        _seconds(timing.last_old) if timing.first_new is not None else "-",
        str(len(rows)),
        story.failed_in_words(rows),
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    left = 2  # columns of words; the rest are numbers
    lines = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
