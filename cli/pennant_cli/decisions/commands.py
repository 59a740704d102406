"""`pennant replay` and `pennant audit`: their arguments and help."""

from __future__ import annotations

from typing import Annotated

import typer

from pennant_cli.exit_codes import ExitCode
from pennant_cli.output import Format, FormatOption, show, working

decisions = typer.Typer()

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Logs of the operator; - is standard input."),
]


@decisions.command("replay")
def replay_command(files: FilesArgument, output: FormatOption = Format.TEXT) -> None:
    """Run recorded decisions through the installed version, and print each that it would make
    otherwise: what an upgrade does to a fleet. Record them with PENNANT_DECISIONS=full.

    Exit code 0: none. 1: at least one, or one that cannot be read.

    Example: kubectl logs -n pennant-system deploy/pennant-operator | pennant replay -
    """
    from pennant_cli.decisions.log_lines import LogReader
    from pennant_cli.decisions.replay import replay

    reader = LogReader(files)
    with working("deciding anew"):
        report = replay(reader)
    show({**report.as_data, "skipped": reader.skipped}, output, report.text)
    _tell_skipped(reader.skipped)
    if report.others or report.unreadable:
        raise typer.Exit(ExitCode.FAILED)


@decisions.command("audit")
def audit_command(
    files: FilesArgument,
    at: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="TIME NAMESPACE/NAME",
            help="What served then, by the decisions alone. Such as 2026-05-03T14:05 team/rec.",
        ),
    ] = None,
    heads: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="PROCESS/LINE/SHA256",
            help="A line that must be there; of a version's tag pennant.<place>.decision in MLflow."
            " May be given several times.",
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Say whether decisions were changed, dropped or reordered, and where; with --at, what served
    at a moment and who moved it there.

    Exit code 0: they are whole. 1: they are not, a head is not in them, or none is that old.

    Example: pennant audit operator.log --at 2026-05-03T14:05 team/rec
    """
    from pennant_cli.decisions.audit import audit, check_heads
    from pennant_cli.decisions.log_lines import LogReader
    from pennant_cli.decisions.moment import asked, moment_text

    question = None if at is None else asked(*at)
    check_heads(heads or ())
    reader = LogReader(files)
    with working("following the chain"):
        report = audit(reader if question is None else question.seeing(reader), heads or ())
    if question is None:
        show({**report.as_data, "skipped": reader.skipped}, output, report.text)
        _tell_skipped(reader.skipped)
    else:
        answer = question.answer()
        show({**answer, "whole": not report.findings}, output, moment_text(answer))
        for finding in report.findings:
            typer.echo(finding, err=True)
    if report.findings:
        raise typer.Exit(ExitCode.FAILED)


def _tell_skipped(lines: int) -> None:
    if lines:
        typer.echo(f"{lines} lines are none of these, and were passed over", err=True)
