"""containerd of one node: start, stop, empty, and load images."""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from pennant_dev import oci, shelf
from pennant_dev.node import Node
from pennant_dev.processes import Processes
from pennant_dev.shell import DevError, feed, run, succeeds, wait_until


def start(node: Node, processes: Processes, *, pods: bool = True) -> None:
    """Start containerd and wait until it answers."""
    (node.folder / "emptied").unlink(missing_ok=True)
    config = "containerd.toml" if pods else "containerd-bare.toml"
    name = _process(node)
    processes.start(name, ["containerd", "--config", node.folder / config])

    def answers() -> bool:
        if processes.running(name) is None:
            raise DevError(f"{name} ended:\n{processes.tail(name)}")
        return succeeds(_ctr(node, "version"))

    wait_until(answers, f"{name} does not answer", seconds=30)


def stop(node: Node, processes: Processes) -> None:
    """Stop containerd; containers run on in their shims unless `empty` was called before."""
    processes.stop(_process(node))


def empty(node: Node, processes: Processes) -> None:
    """Kill and remove every container, keeping the images; works after an unclean stop too."""
    if not node.images.exists() or (node.folder / "emptied").exists():
        return
    if not succeeds(_ctr(node, "version")):
        start(node, processes, pods=False)
    for kind, flags in (("tasks", ["--force"]), ("containers", [])):
        names = run(_ctr(node, kind, "list", "--quiet")).split()
        if names:
            run(_ctr(node, kind, "remove", *flags, *names), check=False)
    stop(node, processes)
    (node.folder / "emptied").touch()


def load(node: Node, layouts: Sequence[Path]) -> list[str]:
    """Import archives and folders; the references that were new. Equal digests are left alone."""
    present = images(node)
    missing = {
        image.reference: layout
        for layout in layouts
        for image in oci.inspect(layout)
        if present.get(image.reference) != image.digest
    }
    try:
        _import(node, set(missing.values()))
    except DevError:
        # containerd may collect a layer of the image's older build while it unpacks the newer one
        # onto it ("parent snapshot ... does not exist"); then it has to be unpacked from the start.
        _import(node, set(missing.values()))
    return list(missing)


def _import(node: Node, layouts: Collection[Path]) -> None:
    """Import each archive, and the folders in one go, without the layers that the node has."""
    folders = [each for each in layouts if each.is_dir()]
    for archive in set(layouts) - set(folders):
        run(_ctr(node, "images", "import", archive))
    if folders:
        has = run(_ctr(node, "content", "list", "--quiet")).split()
        feed(_ctr(node, "images", "import", "-"), partial(shelf.pack, folders, has))


def images(node: Node) -> dict[str, str]:
    """Digest by reference of every image of the node."""
    rows = [line.split() for line in run(_ctr(node, "images", "list")).splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


def _process(node: Node) -> str:
    return f"containerd-{node.number}"


def _ctr(node: Node, *words: str | Path) -> list[str | Path]:
    return ["ctr", "--address", node.socket, "--namespace", "k8s.io", *words]
