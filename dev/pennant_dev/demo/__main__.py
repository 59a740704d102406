"""The command `dev/demo`: `up` (the default) shows everything, `down` takes it away again."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_dev import cluster
from pennant_dev.demo import acts, mirror, picture, report, setup, strategies
from pennant_dev.demo.heard import SELECTOR
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.stage import NAME, URL, Stage
from pennant_dev.demo.story import Story
from pennant_dev.demo.traffic import READERS, Traffic
from pennant_dev.leftovers import processes
from pennant_dev.local import Local
from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shell import DevError, eprint, side_by_side, step

MIRROR = "Mirror"  # beside a strategy: champion and challenger
AROUND = f"""
Everything is still there. Look around:
  eval "$(dev/cluster env)"
  kubectl get mldep -n {NAMESPACE}
  kubectl describe mldep {NAME} -n {NAMESPACE}
  kubectl logs --selector app.kubernetes.io/name=pennant-operator --prefix -n pennant-system
  kubectl port-forward -n mlflow service/mlflow 5000        # then http://localhost:5000
  kubectl exec -n {NAMESPACE} toolbox -- python -m newsreco.pipeline promote 2
and take it away again:
  make demo-down"""


def up(svg: Path, strategy: str | None) -> int:
    """Set the stage, play, and report; 0 when no request failed and no answer was mixed up.

    With a strategy its own four acts, else all that there are of BlueGreen.
    """
    begun = time.monotonic()
    kube = prepare()
    try:
        options = (*READERS, *strategies.PATIENT.get(strategy or "", ()))
        stage = Stage(kube, Traffic(kube, URL, options=options))
        story = _play(stage, strategy)
    except DevError:
        look_at(kube)
        raise
    eprint(f"\n{report.table(story)}\n")
    eprint(report.alias_to_answer(story))
    save(story, svg)
    for problem in report.problems(story):
        eprint(f"demo: {problem}")
    eprint(AROUND)
    eprint(f"\ndemo: {time.monotonic() - begun:.0f} s in all")
    return 1 if report.problems(story) else 0


def _play(stage: Stage, strategy: str | None) -> Story:
    if strategy == MIRROR:
        return mirror.play(stage)
    return strategies.play(stage, strategy) if strategy else acts.play(stage)


def prepare() -> Kube:
    """Cluster, images, operator and an empty MLflow."""
    with step("cluster and images"):
        side_by_side(setup.ensure_cluster, setup.build_images)
    setup.load_images()
    kube = setup.connect()
    if kube.get("deployment", "mlflow", setup.MLFLOW_NAMESPACE):
        with step("took away an earlier demo"):
            setup.remove(kube)
            setup.ensure_cluster()  # makes the released volume new again
    setup.install_operator(kube)
    setup.install_mlflow(kube)
    setup.install_registry(kube)
    setup.install_toolbox(kube)
    return kube


def stands() -> bool:
    """Whether a cluster is there that we would not take away; what a killed one left is none."""
    settings = Settings.from_env()
    return not isinstance(cluster.choose(settings), Local) or bool(processes(settings.state))


@contextmanager
def borrowed() -> Iterator[Kube]:
    """What `prepare` makes, taken away afterwards; the cluster too, where it was not there."""
    was_there = stands()
    try:
        yield prepare()
    finally:
        give_back(was_there=was_there)


def give_back(*, was_there: bool) -> None:
    """Take away what `prepare` made; the cluster too, where it was not there."""
    setup.remove(setup.connect())
    if not was_there:
        cluster.choose(Settings.from_env()).down()


def down() -> int:
    """Delete what the demo made; the cluster stays."""
    with step("took the demo away (the cluster stays: `make cluster-down` ends it)"):
        setup.remove(setup.connect())
    return 0


def save(story: Story, path: Path) -> None:
    """Write the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture.draw(story))
    eprint(f"picture: {path}")


def look_at(kube: Kube) -> None:
    """Print what a person would look at first."""
    words = (
        ("describe", "modeldeployment", NAME, f"--namespace={NAMESPACE}"),
        ("get", "pods", "--all-namespaces", "--output=wide"),
        ("logs", SELECTOR, "--prefix", "--namespace=pennant-system", "--tail=40"),
    )
    for each in words:
        eprint(f"\n$ kubectl {' '.join(each)}\n{kube(*each, check=False)}")


def main(words: list[str] | None = None) -> int:
    """Command line; 1 and a sentence when something cannot be done."""
    parser = argparse.ArgumentParser(prog="dev/demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("up", "down"), default="up")
    parser.add_argument("--strategy", choices=(*strategies.ROLLOUTS, MIRROR))
    parser.add_argument("--svg", type=Path, default=REPOSITORY / "out" / "demo.svg")
    arguments = parser.parse_args(words)
    try:
        return up(arguments.svg, arguments.strategy) if arguments.command == "up" else down()
    except DevError as error:
        eprint(f"dev/demo {arguments.command}: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
