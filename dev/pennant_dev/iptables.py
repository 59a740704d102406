"""Removing Kubernetes' and CNI's packet filter rules, and no others."""

import re
from collections.abc import Iterator

from pennant_dev.shell import run, succeeds

OURS = re.compile(r"^(KUBE|CNI)-")
FAMILIES = ("iptables", "ip6tables")


def remove_rules() -> None:
    """Remove every KUBE-* and CNI-* chain and the rules that lead there."""
    for family in FAMILIES:
        if succeeds([family, "--version"]):
            script = removal(run([f"{family}-save"]))
            if script:
                run([f"{family}-restore", "--noflush"], stdin=script)


def remaining() -> list[str]:
    """KUBE-* and CNI-* chains that exist, as `iptables nat KUBE-SERVICES`."""
    rules = []
    for family in FAMILIES:
        if succeeds([family, "--version"]):
            rules += [
                f"{family} {table} {line.split()[0][1:]}"
                for table, lines in _tables(run([f"{family}-save"]))
                for line in lines
                if line.startswith(":") and OURS.match(line[1:])
            ]
    return rules


def removal(saved: str) -> str:
    """Input for `iptables-restore --noflush` that deletes our chains out of a saved state.

    Rules in others' chains go one by one (by their text), so whatever else filters packets on
    this machine is never reloaded.
    """
    script = []
    for table, lines in _tables(saved):
        chains = [line.split()[0][1:] for line in lines if line.startswith(":")]
        ours = [chain for chain in chains if OURS.match(chain)]
        jumps = [line for line in lines if _leads_to_ours(line)]
        if ours:
            script += [f"*{table}", *("-D" + jump[2:] for jump in jumps)]
            script += [f"-F {chain}" for chain in ours]
            script += [f"-X {chain}" for chain in ours]
            script.append("COMMIT")
    return "\n".join(script) + "\n" if script else ""


def _leads_to_ours(line: str) -> bool:
    words = line.split()
    if not line.startswith("-A ") or OURS.match(words[1]):
        return False
    target = re.search(r"-[jg] (\S+)", line)
    return target is not None and OURS.match(target[1]) is not None


def _tables(saved: str) -> Iterator[tuple[str, list[str]]]:
    """(table, its lines) of what iptables-save prints."""
    table, lines = "", list[str]()
    for line in saved.splitlines():
        if line.startswith("*"):
            table, lines = line[1:], []
        elif line == "COMMIT":
            yield table, lines
        elif line.startswith((":", "-A")):
            lines.append(line)
