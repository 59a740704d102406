"""`pennant check`, `diff` and `doctor`: their arguments and help."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from pennant_cli.exit_codes import ExitCode
from pennant_cli.output import Format, FormatOption, show, working
from pennant_cli.pointer_names import AliasOption, StageOption, pointer_of
from pennant_cli.registry.gate_options import GateOption, GatesOption, gates_of
from pennant_cli.registry.times import duration
from pennant_cli.version_names import VersionArgument, VersionName, version_name

checks = typer.Typer()


class SelfTest(StrEnum):
    """As spec.serving.selfTest."""

    IF_PRESENT = "IfPresent"
    REQUIRED = "Required"
    OFF = "Off"


class EnvironmentCheck(StrEnum):
    """As spec.environmentCheck."""

    WARN = "Warn"
    STRICT = "Strict"
    OFF = "Off"


@checks.command("check")
def check_command(
    version: VersionArgument,
    alias: AliasOption = None,
    stage: StageOption = None,
    gate: GateOption = None,
    gates: GatesOption = None,
    adapter: Annotated[
        str, typer.Option(metavar="NAME", help="As spec.serving.adapter: a name, or module:Class.")
    ] = "auto",
    self_test: Annotated[
        SelfTest, typer.Option("--self-test", help="As spec.serving.selfTest.")
    ] = SelfTest.IF_PRESENT,
    environment_check: Annotated[
        EnvironmentCheck,
        typer.Option("--environment-check", help="As spec.environmentCheck."),
    ] = EnvironmentCheck.WARN,
    deadline: Annotated[
        timedelta,
        typer.Option(parser=duration, metavar="TIME", help="To load it and to answer, at most."),
    ] = "5m",  # type: ignore[assignment] # typer parses it
    output: FormatOption = Format.TEXT,
) -> None:
    """Whether a version may go out, before it does: gates, holds on the alias, its bytes, its
    packages, and whether it loads and answers its own example in a fresh process on this machine.

    The model's code runs here, and the extra `serving` must be installed.

    Example: pennant check news/8 --alias production --gate 'ndcg_at_10>=0.3'
    """
    from pennant_cli.checks.checking import CheckOrder, check, refuses
    from pennant_cli.checks.findings import drawn, plain
    from pennant_cli.checks.trying import Trial

    pointed = alias is not None or stage is not None
    pointer = pointer_of(version.model, alias, stage) if pointed else None
    asked = gates_of(gate, gates)
    if asked.against_serving and pointer is None:
        raise typer.BadParameter(
            "these gates compare it with the version that serves: give --alias or --stage",
            param_hint="--gates",
        )
    trial = Trial(adapter, self_test.value, environment_check.value, deadline)
    with working(f"checking {version}"):
        findings = check(CheckOrder(version, asked, pointer, trial))
    refused = refuses(findings)
    facts = {"version": str(version), "passed": not refused, "findings": plain(findings)}
    show(facts, output, drawn(findings))
    if refused:
        raise typer.Exit(ExitCode.REFUSED)


@checks.command("diff")
def diff_command(
    first: VersionArgument,
    second: Annotated[
        str, typer.Argument(metavar="VERSION", help="Another one: 8, or MODEL/VERSION.")
    ],
    whole: Annotated[bool, typer.Option("--all", help="What is the same, too.")] = False,  # noqa: FBT002
    output: FormatOption = Format.TEXT,
) -> None:
    """What differs between two versions: metrics, params, tags, flavors, signature, requirements,
    digest. Records of moves are no part of it.

    Example: pennant diff news/7 8
    """
    from pennant_cli.checks.comparing import compare, show_comparison

    named = second if "/" in second else f"{first.model}/{second}"
    other: VersionName = version_name(named)
    with working(f"reading {first} and {other}"):
        compared = compare(first, other)
    show_comparison(compared, first, other, output, whole=whole)


@checks.command("doctor")
def doctor_command(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Whose files and rights are looked at."),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """What of the registry can be reached from here, with the flag, grant or setting to change.
    Nothing is written.

    Example: pennant doctor news
    """
    from pennant_cli.checks.doctor.examining import examine
    from pennant_cli.checks.findings import Verdict, drawn, plain

    with working("asking the registry"):
        findings = [*examine(model)]
    show(plain(findings), output, drawn(findings))
    if any(each.verdict is Verdict.PROBLEM for each in findings):
        raise typer.Exit(ExitCode.REFUSED)
