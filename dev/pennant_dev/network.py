"""The machine's side of the cluster network: a bridge, two routes, three sysctls.

The routes matter: until kube-proxy has programmed a Service, a packet to its address follows the
default route, out of the machine. With them it goes nowhere.
"""

import json
from pathlib import Path

from pennant_dev.iptables import remove_rules
from pennant_dev.node import POD_RANGE, SERVICE_RANGE, nodes, unique
from pennant_dev.shell import DevError, run

BRIDGE = "pn0"
WANTED = {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
CHANGED_BY_KUBERNETES = (
    "net.ipv4.conf.all.route_localnet",
    "vm.overcommit_memory",
    "kernel.panic",
    "kernel.panic_on_oops",
)


def raise_network(state: Path) -> None:
    """Make the bridge with both nodes' addresses, the routes, and set the sysctls."""
    if _links("type", "bridge").get(BRIDGE) is not None:
        raise DevError(
            f"interface {BRIDGE} exists: another cluster runs here (PENNANT_STATE was different?); "
            f"stop it, or remove what it left with: ip link delete {BRIDGE}"
        )
    _remember_sysctls(state / "sysctls.json")
    run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "link", "set", BRIDGE, "alias", unique(state)])
    for node in nodes(state):
        run(["ip", "address", "add", f"{node.address}/32", "dev", BRIDGE])
    run(["ip", "link", "set", BRIDGE, "up"])
    for target in (SERVICE_RANGE, POD_RANGE):
        run(["ip", "route", "add", target, "dev", BRIDGE])
    for name, value in WANTED.items():
        _sysctl(name).write_text(value)


def lower_network(state: Path) -> None:
    """Undo `raise_network` and what pods and kube-proxy added: interfaces and rules."""
    # A network is of this cluster's making by its record, or by its mark where that was lost.
    if not (state / "sysctls.json").exists() and not bridges(state):
        return
    for bridge in bridges(state):
        for link in _links("master", bridge):
            run(["ip", "link", "delete", link], check=False)
        run(["ip", "link", "delete", bridge], check=False)
    remove_rules()
    _restore_sysctls(state / "sysctls.json")
    for each in cni_results(state):
        each.unlink()


def cni_results(state: Path) -> list[Path]:
    """What CNI remembers of our pods; removing a container by force does not ask it to forget."""
    folder, prefix = Path("/var/lib/cni/results"), unique(state)
    ours = list(folder.glob(f"{prefix}-*"))
    sandboxes = [each.name.split("-")[-2] for each in ours]
    return ours + [each for name in sandboxes for each in folder.glob(f"cni-loopback-{name}-lo")]


def bridges(state: Path) -> list[str]:
    """Those of our bridges that exist; none when the network is another state folder's."""
    links = _links("type", "bridge")
    if links.get(BRIDGE, unique(state)) != unique(state):
        return []
    return sorted({BRIDGE, *(node.bridge for node in nodes(state))} & set(links))


def _links(*selector: str) -> dict[str, str]:
    """Alias by interface name; empty when the selected master does not exist."""
    links = json.loads(run(["ip", "-json", "link", "show", *selector], check=False) or "[]")
    # An old iproute prints an empty object per interface that does not match.
    return {each["ifname"]: each.get("ifalias", "") for each in links if "ifname" in each}


def _sysctl(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def _remember_sysctls(record: Path) -> None:
    if record.exists():  # from an unclean stop: it holds the machine's own values, ours are set
        return
    names = (*WANTED, *CHANGED_BY_KUBERNETES)
    values = {name: _sysctl(name).read_text().strip() for name in names if _sysctl(name).exists()}
    record.write_text(json.dumps(values))


def _restore_sysctls(record: Path) -> None:
    if not record.exists():
        return
    for name, value in json.loads(record.read_text()).items():
        _sysctl(name).write_text(value)
    record.unlink()
