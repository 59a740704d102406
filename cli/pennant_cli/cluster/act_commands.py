"""`kubectl pennant approve`, `hold`, `pin`, `abort`, `skip` and the like: arguments and help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import typer

from pennant_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    api_of,
)
from pennant_cli.output import Format, FormatOption, show, working

acts = typer.Typer()

ReasonOption = Annotated[str, typer.Option(help="Why, for those who read it later.")]
VersionOption = Annotated[str, typer.Option(help="It does nothing to another one.")]


def duration(text: str | timedelta) -> timedelta:
    """Such as 2h; raises BadParameter."""
    from pennant_registry.durations import parse_duration

    if isinstance(text, timedelta):
        return text
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def lasting(text: str | timedelta) -> timedelta:
    """The same, of what is to last a while; raises BadParameter."""
    lasts = duration(text)
    if not lasts:
        raise typer.BadParameter("0 would end before it begins: write for example 2h")
    return lasts


ForOption = Annotated[
    timedelta | None,
    typer.Option(
        "--for",
        parser=lasting,
        metavar="DURATION",
        help="Such as 2h. Absent: until it is deleted.",
    ),
]
WaitOption = Annotated[
    timedelta,
    typer.Option("--wait", parser=duration, metavar="DURATION", help="For what becomes of it."),
]
TEN_SECONDS = "10s"


def _act(api: Any, action: str, name: str, wait: timedelta, output: Format, **spec: Any) -> None:
    from pennant_cli.cluster.acting import act, result_of
    from pennant_cli.cluster.seeing import owner_of
    from pennant_operator.decide.seen.actions import Act

    with working(f"{action} {name}"):
        owner_of(api, name)
        made = act(api, Act(action), {"deployment": name}, wait, **spec)
    show(made, output, result_of(made))


@acts.command("approve")
def approve_command(
    name: NameArgument,
    version: Annotated[str, typer.Option(help="Absent: the one that is desired now.")] = "",
    reason: ReasonOption = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Let a version pass its gates, all but closed windows.

    Example: kubectl pennant approve news-recommender --reason "looked at by hand"
    """
    from pennant_cli.cluster.seeing import owner_of
    from pennant_cli.exit_codes import CommandError

    api = api_of(namespace, context, kubeconfig)
    if not version:
        desired = (owner_of(api, name).get("status") or {}).get("desired") or {}
        version = desired.get("version", "")
    if not version:
        raise CommandError(f"no version is desired of {name} now: name one with --version")
    _act(api, "Approve", name, wait, output, version=version, reason=reason)


@acts.command("hold")
def hold_command(
    name: NameArgument,
    lasts: ForOption = None,
    reason: ReasonOption = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Roll nothing new out, until the RolloutAction is deleted or expires.

    Example: kubectl pennant hold news-recommender --for 2h --reason "incident 12"
    """
    from pennant_cli.cluster.acting import expires

    api = api_of(namespace, context, kubeconfig)
    _act(api, "Hold", name, wait, output, reason=reason, expiresAt=expires(lasts))


@acts.command("pin")
def pin_command(
    name: NameArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="That is to serve.")],
    lasts: ForOption = None,
    reason: ReasonOption = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Have one version serve, whatever the alias says.

    Example: kubectl pennant pin news-recommender 7 --for 2h --reason "8 is slow"
    """
    from pennant_cli.cluster.acting import expires

    api = api_of(namespace, context, kubeconfig)
    _act(api, "Pin", name, wait, output, version=version, reason=reason, expiresAt=expires(lasts))


def act_on_version(purpose: Callable[[], None]) -> Callable[[], None]:
    """Add the command of an act that may name a version, and nothing else.

    Its name is the act's, its docstring the help.
    """

    def command(
        name: NameArgument,
        version: VersionOption = "",
        reason: ReasonOption = "",
        namespace: NamespaceOption = "",
        context: ContextOption = "",
        kubeconfig: KubeconfigOption = None,
        wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
        output: FormatOption = Format.TEXT,
    ) -> None:
        api, action = api_of(namespace, context, kubeconfig), purpose.__name__.capitalize()
        _act(api, action, name, wait, output, version=version, reason=reason)

    acts.command(purpose.__name__, help=purpose.__doc__)(command)
    return purpose


@act_on_version
def abort() -> None:
    """Reject what comes up, or bakes.

    Example: kubectl pennant abort news-recommender --reason "wrong data"
    """


@act_on_version
def retry() -> None:
    """Have a version tried again that was rejected, or that waits for its next try.

    Example: kubectl pennant retry news-recommender
    """


@act_on_version
def skip() -> None:
    """Have a canary pass the step that it is at.

    Example: kubectl pennant skip news-recommender --reason "looks good"
    """


@act_on_version
def promote() -> None:
    """Have a canary pass all its steps: the version gets all of the traffic.

    Example: kubectl pennant promote news-recommender --reason "urgent"
    """


@acts.command("resume")
def resume_command(
    registry: Annotated[str, typer.Argument(metavar="REGISTRY", help="Of a ModelRegistry.")],
    reason: ReasonOption = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The operator's. Absent: it is looked for.")
    ] = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Have the brake of a ModelRegistry let go.

    Example: kubectl pennant resume default --reason "the database was restored"
    """
    from pennant_cli.cluster.acting import act, result_of
    from pennant_cli.cluster.registries import home_of
    from pennant_operator.decide.seen.actions import Act

    api = api_of(namespace, context, kubeconfig)
    with working(f"Resume {registry}"):
        api.namespace = namespace or home_of(api, registry)
        made = act(api, Act.RESUME, {"registry": registry}, wait, reason=reason)
    show(made, output, result_of(made))
