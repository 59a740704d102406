"""`kubectl pennant`: its commands, their arguments and help."""

from __future__ import annotations

from typing import Annotated

import typer

from pennant_cli.cluster.act_commands import acts
from pennant_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    api_of,
)
from pennant_cli.output import Format, FormatOption, show, working

program = typer.Typer(
    help="What Pennant does in this cluster, why, and what would change it.\n\n"
    "It needs rights in Kubernetes only. Exit codes: 0 done, 1 failed, "
    "2 wrongly called, 3 refused.",
    no_args_is_help=True,
    add_completion=False,  # it would complete `kubectl`, in place of kubectl's own
    pretty_exceptions_enable=False,
)
program.add_typer(acts)


@program.callback()
def about() -> None:
    """There are only commands below this one."""


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
        api = api_of(namespace, context, kubeconfig)
        entry = answered(api, look_at(api, name))
    show(entry, output, text_of(entry))


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
    if watch and output is not Format.TEXT:
        raise typer.BadParameter(f"-w prints text as it comes, and no {output}: leave one out")
    api = api_of(namespace, context, kubeconfig)
    if watch:
        watched(lambda: status_of(api, name, everywhere=all_namespaces))
        return
    with working("looking"):
        entries = status_of(api, name, everywhere=all_namespaces)
    nothing = f"there is no ModelDeployment in namespace {api.namespace}"
    show(entries, output, drawn(entries) if entries else nothing)


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

    api = api_of(namespace, context, kubeconfig)
    entries = registries(api, everywhere=not namespace)
    show(entries, output, text_of(entries) or "there is no ModelRegistry")


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

    api = api_of(namespace, context, kubeconfig)
    owner_of(api, name)
    entries = events_of(api, name)
    lines = (
        f"{e['time'][:19]}  {e['type']:7}  {e['reason']}  {e['object']}\n    {e['message']}"
        for e in entries
    )
    show(entries, output, "\n".join(lines) or "no Event is left: they are kept for an hour or so")


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

    api = api_of(namespace, context, kubeconfig)
    owner, service = owner_of(api, name), api.get("Service", name) or {}
    slot = slot_that_matters(owner, {f"Service/{name}": service})
    entries = logs_of(api, name, slot, container, tail)
    text = (f"pod {each['pod']}, container {each['container']}\n{each['log']}" for each in entries)
    show(entries, output, "\n\n".join(text))


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

    from pennant_cli.cluster.looking import invoke, read
    from pennant_cli.cluster.seeing import owner_of

    given = read(data) if data else None
    api = api_of(namespace, context, kubeconfig)
    owner_of(api, name)
    with working(f"asking {name}"):
        entry = invoke(api, name, given)
    show(entry, output, json.dumps(entry["answer"], indent=2, ensure_ascii=False))
