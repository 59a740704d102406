"""`kubectl pennant`: its commands, their arguments and help."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from pennant_cli.output import Format, FormatOption, show, working

program = typer.Typer(
    help="What Pennant does in this cluster, why, and what would change it.\n\n"
    "It needs rights in Kubernetes only. Exit codes: 0 done, 1 refused or failed, "
    "2 wrongly called.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of a ModelDeployment.")]
NamespaceOption = Annotated[
    str, typer.Option("--namespace", "-n", help="Absent: that of the kubeconfig's context.")
]
ContextOption = Annotated[str, typer.Option(help="Of the kubeconfig. Absent: its current one.")]
KubeconfigOption = Annotated[
    Path | None, typer.Option(help="Absent: KUBECONFIG, or ~/.kube/config.")
]
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


ForOption = Annotated[
    timedelta | None,
    typer.Option(
        "--for",
        parser=duration,
        metavar="DURATION",
        help="Such as 2h. Absent: until it is deleted.",
    ),
]
WaitOption = Annotated[
    timedelta,
    typer.Option("--wait", parser=duration, metavar="DURATION", help="For what becomes of it."),
]
TEN_SECONDS = "10s"


@program.callback()
def about() -> None:
    """There are only commands below this one."""


def _api(namespace: str, context: str, kubeconfig: Path | None) -> Any:
    from pennant_cli.cluster.api import Where, connect

    return connect(Where(namespace, context, kubeconfig))


@program.command("why")
def why_command(
    name: NameArgument,
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Why what serves is not what the alias points at, and the smallest changes after which it is.

    Example: kubectl pennant why news-recommender
    """
    from pennant_cli.cluster.answering import answered, text_of
    from pennant_cli.cluster.seeing import look_at

    with working(f"looking at {name}"):
        api = _api(namespace, context, kubeconfig)
        found = answered(api, look_at(api, name))
    show(found, output, text_of(found))


@program.command("status")
def status_command(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Absent: all of them.")] = "",
    *,
    namespace: NamespaceOption = "",
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Those of every namespace.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, until Ctrl-C.")] = False,
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """ModelDeployments, their slots, revisions and pods, and why.

    Example: kubectl pennant status news-recommender -w
    """
    from pennant_cli.cluster.tree import drawn, status_of
    from pennant_cli.cluster.watching import watched

    if name and all_namespaces:
        raise typer.BadParameter("give a NAME, or -A")
    api = _api(namespace, context, kubeconfig)
    if watch:
        watched(lambda: status_of(api, name, everywhere=all_namespaces))
        return
    with working("looking"):
        found = status_of(api, name, everywhere=all_namespaces)
    nothing = f"there is no ModelDeployment in namespace {api.namespace}"
    show(found, output, drawn(found) if found else nothing)


def _act(api: Any, action: str, name: str, wait: timedelta, output: Format, **spec: Any) -> None:
    from pennant_cli.cluster.acting import act, result_of
    from pennant_cli.cluster.seeing import owner_of
    from pennant_operator.decide.seen.actions import Act

    with working(f"{action} {name}"):
        owner_of(api, name)
        made = act(api, Act(action), {"deployment": name}, wait, **spec)
    show(made, output, result_of(made))


@program.command("approve")
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

    api = _api(namespace, context, kubeconfig)
    if not version:
        desired = (owner_of(api, name).get("status") or {}).get("desired") or {}
        version = desired.get("version", "")
    if not version:
        raise CommandError(f"no version is desired of {name} now: name one with --version")
    _act(api, "Approve", name, wait, output, version=version, reason=reason)


@program.command("hold")
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

    api = _api(namespace, context, kubeconfig)
    _act(api, "Hold", name, wait, output, reason=reason, expiresAt=expires(lasts))


@program.command("pin")
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

    api = _api(namespace, context, kubeconfig)
    _act(api, "Pin", name, wait, output, version=version, reason=reason, expiresAt=expires(lasts))


@program.command("abort")
def abort_command(
    name: NameArgument,
    version: VersionOption = "",
    reason: ReasonOption = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Reject what comes up, or bakes.

    Example: kubectl pennant abort news-recommender --reason "wrong data"
    """
    api = _api(namespace, context, kubeconfig)
    _act(api, "Abort", name, wait, output, version=version, reason=reason)


@program.command("retry")
def retry_command(
    name: NameArgument,
    version: VersionOption = "",
    reason: ReasonOption = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    wait: WaitOption = TEN_SECONDS,  # type: ignore[assignment]
    output: FormatOption = Format.TEXT,
) -> None:
    """Have a version tried again that was rejected, or that waits for its next try.

    Example: kubectl pennant retry news-recommender
    """
    api = _api(namespace, context, kubeconfig)
    _act(api, "Retry", name, wait, output, version=version, reason=reason)


@program.command("resume")
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

    api = _api(namespace, context, kubeconfig)
    with working(f"Resume {registry}"):
        api.namespace = namespace or home_of(api, registry)
        made = act(api, Act.RESUME, {"registry": registry}, wait, reason=reason)
    show(made, output, result_of(made))


@program.command("registries")
def registries_command(
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The operator's. Absent: every one.")
    ] = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """ModelRegistries, and what is so of each.

    Example: kubectl pennant registries -n pennant-system
    """
    from pennant_cli.cluster.registries import registries, text_of

    api = _api(namespace, context, kubeconfig)
    found = registries(api, everywhere=not namespace)
    show(found, output, text_of(found) or "there is no ModelRegistry")


@program.command("events")
def events_command(
    name: NameArgument,
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Events of a ModelDeployment and of what is its own, newest last.

    Example: kubectl pennant events news-recommender
    """
    from pennant_cli.cluster.looking import events_of
    from pennant_cli.cluster.seeing import owner_of

    api = _api(namespace, context, kubeconfig)
    owner_of(api, name)
    found = events_of(api, name)
    lines = (
        f"{e['time'][:19]}  {e['type']:7}  {e['reason']}  {e['object']}\n    {e['message']}"
        for e in found
    )
    show(found, output, "\n".join(lines) or "no Event is left: they are kept for an hour or so")


@program.command("logs")
def logs_command(
    name: NameArgument,
    container: Annotated[
        str, typer.Option("--container", "-c", help="fetch or serve. Absent: the one at work.")
    ] = "",
    tail: Annotated[int, typer.Option(min=1, help="Lines of each pod.")] = 50,
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """The last lines of the pods that matter: the candidate's, else those with the traffic.

    Example: kubectl pennant logs news-recommender
    """
    from pennant_cli.cluster.looking import logs_of
    from pennant_cli.cluster.seeing import owner_of, slot_that_matters

    api = _api(namespace, context, kubeconfig)
    owner, service = owner_of(api, name), api.get("Service", name) or {}
    slot = slot_that_matters(owner, {f"Service/{name}": service})
    found = logs_of(api, name, slot, container, tail)
    text = (f"pod {each['pod']}, container {each['container']}\n{each['log']}" for each in found)
    show(found, output, "\n\n".join(text))


@program.command("invoke")
def invoke_command(
    name: NameArgument,
    data: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="A request in JSON; - is standard input. Absent: "
            "the input example that the bundle brings.",
        ),
    ] = "",
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Ask what serves, by the API server's proxy, with the bundle's own input example.

    Example: kubectl pennant invoke news-recommender
    """
    import json

    from pennant_cli.cluster.looking import invoke
    from pennant_cli.cluster.seeing import owner_of

    given = None
    if data:
        given = sys.stdin.read() if data == "-" else Path(data).read_text()
    api = _api(namespace, context, kubeconfig)
    owner_of(api, name)
    with working(f"asking {name}"):
        found = invoke(api, name, given)
    show(found, output, json.dumps(found["answer"], indent=2, ensure_ascii=False))
