"""The command `dev/cluster`.

  up               start the cluster (idempotent)
  prepare          install and build what `up`, its images and the tests need; start nothing
  down             stop it; nothing stays but logs and caches
  reset            a new, empty cluster; loaded images stay
  status           nodes, or what is left of a stopped cluster
  metrics          start metrics-server, for autoscalers and `kubectl top` (local only)
  load IMAGE...    give images to every node: an archive, or a name that `dev/images` built
  kubeconfig       print the path of the administrator's kubeconfig
  env              print shell lines: eval "$(dev/cluster env)"

PENNANT_CLUSTER=kind|local chooses the provider; else kind where it works, local elsewhere.
PENNANT_CLUSTER=context is the cluster of your KUBECONFIG: never started, stopped or loaded into.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from pennant_dev import images, kind
from pennant_dev.binaries import ensure
from pennant_dev.buildkey import TARGETS, reference
from pennant_dev.context import Context
from pennant_dev.kind import Kind
from pennant_dev.local import Local
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, eprint, side_by_side

OF_THE_TESTS = (
    *("actionlint", "cyclonus", "helm", "kstatus", "metrics-server", "promrules"),
    "versitygw",
)
Provider: TypeAlias = Kind | Local | Context


def choose(settings: Settings) -> Provider:
    """The provider that was asked for, or the first that works here."""
    if settings.provider not in (None, "kind", "local", "context"):
        raise DevError(f"PENNANT_CLUSTER={settings.provider}: want `kind`, `local` or `context`")
    if settings.provider == "context":
        return Context(settings)
    if settings.provider == "kind" or (settings.provider is None and kind.usable()):
        return Kind(settings)
    return Local(settings)


def load(names: Sequence[str], settings: Settings | None = None) -> None:
    """Load images into every node: paths of archives, or names that `dev/images` built."""
    chosen = settings or Settings.from_env()
    cluster = choose(chosen)
    if isinstance(cluster, Local):
        cluster.load([_given(name) or images.folder(name, chosen) for name in names])
    else:
        cluster.load([_docker_source(name) for name in names])


def _docker_source(name: str) -> str | Path:
    return _given(name) or (reference(name) if name in TARGETS else name)


def _given(name: str) -> Path | None:
    """The path, if the name is an archive's."""
    path = Path(name)
    if path.suffix != ".tar":
        return None
    if not path.exists():
        raise DevError(f"no archive at {name}")
    return path


def main(words: list[str] | None = None) -> int:
    """Run one command; 1 and a sentence when it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="dev/cluster", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = (
        *("up", "prepare", "down", "reset", "status", "metrics", "load", "kubeconfig", "env"),
    )
    parser.add_argument("command", choices=commands, metavar="COMMAND")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args(words)
    try:
        _run(arguments.command, arguments.names, Settings.from_env())
    except DevError as error:
        eprint(f"dev/cluster {arguments.command}: {error}")
        return 1
    return 0


def _run(command: str, names: list[str], settings: Settings) -> None:
    cluster = choose(settings)
    if command == "load":
        load(names, settings)
    elif command == "prepare":
        programs = partial(cluster.prepare, *OF_THE_TESTS)
        side_by_side(programs, partial(images.build, (), settings))
    elif command == "metrics":
        if not isinstance(cluster, Local):
            raise DevError("only the local cluster has one of ours: install metrics-server's own")
        cluster.metrics_server().start()
    elif command == "kubeconfig":
        sys.stdout.write(f"{cluster.kubeconfig}\n")
    elif command == "env":
        if isinstance(cluster, Local):
            ensure("kubelite", settings=settings)  # kubectl comes with it
        sys.stdout.write(f'export KUBECONFIG="{cluster.kubeconfig}" PATH="{settings.bin}:$PATH"\n')
    else:
        if command != "status":
            {"up": cluster.up, "down": cluster.down, "reset": cluster.reset}[command]()
        sys.stdout.write("\n".join(cluster.status()) + "\n")


if __name__ == "__main__":
    sys.exit(main())
