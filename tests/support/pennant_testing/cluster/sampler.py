"""Watches every ModelDeployment's status and asks its Service, from inside the cluster, all along.

One watch tells what the statuses say, one process in the toolbox pod asks with fresh connections
(prober.py). `trust` judges what comes of it. A request counts for the moment when it began. And
kstatus says what it makes of each status, which `kstatus` judges.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, Object
from pennant_dev.demo.pods import NAMESPACE
from pennant_testing.cluster.pod_scripts import source
from pennant_testing.truth.kstatus import Judge, Verdict, VerdictTally, Wrong
from pennant_testing.truth.kstatus_program import kstatus
from pennant_testing.truth.status_truth import (
    Claim,
    Disagreement,
    Sample,
    SampleTally,
    claim_of,
    claims_since,
    disagreements,
    tally,
)

PROBER = source("prober")
OURS = "/v2/health/ready"
HOURS = 4
# A watch that does not say how long it is to last is ended by the API server after 30 to 60 min.
# It begins with what the API server has in its cache: without a revision it may wait in vain.
OPTIONS = f"watch=true&resourceVersion=0&timeoutSeconds={HOURS * 3600}"
WATCH = f"/apis/pennant.dev/v1alpha1/modeldeployments?{OPTIONS}"


class Sampler:
    """Samples so far, of the namespaces that it was shown; `of` is namespace, name and uid."""

    def __init__(self, kube: Kube, verdict: Verdict) -> None:
        self._judge = Judge(verdict)
        self._misread = 0  # of the statuses that kstatus misreads, how many were reported
        self._ours: set[str] = set()
        self._claims: dict[str, list[tuple[float, Claim]]] = {}
        self._samples: list[Sample] = []
        self._reported: set[Disagreement] = set()
        self._borne: dict[str, float] = {}
        words = ("exec", "--stdin", f"--namespace={NAMESPACE}", setup.TOOLBOX, "--")
        self._prober = kube.stream(*words, "python", "-c", PROBER, take=self._seen, writable=True)
        self._watch = kube.stream("get", "--raw", WATCH, take=self._changed)

    def stop(self) -> None:
        """End both; AssertionError when one has ended by itself, because then nobody looked."""
        ended = [each for each in (self._watch, self._prober) if each.ended]
        self._watch.stop()
        self._prober.stop()
        assert not ended, "the sampler ended before the tests did: what it saw is not the whole"

    def look_at(self, namespace: str) -> None:
        """Ask what is made there from now on; other namespaces are other samplers'."""
        self._ours.add(namespace)

    def tally(self) -> SampleTally:
        """What all that was seen comes to."""
        return tally(list(self._samples))

    def verdicts(self) -> VerdictTally:
        """What all that kstatus said comes to."""
        return self._judge.tally()

    def misread(self) -> list[Wrong]:
        """The statuses by which kstatus says what is not so, but for those of an earlier call."""
        wrong = self._judge.wrong[self._misread :]
        self._misread += len(wrong)
        return wrong

    def news(self) -> list[Disagreement]:
        """The disagreements that count and were not reported by an earlier call."""
        all_of_them = disagreements(list(self._samples))
        unborne = {each for each in all_of_them if each.counts and not self._bears(each)}
        begun = {(each.of, each.begun) for each in self._reported}
        fresh = sorted(each for each in unborne if (each.of, each.begun) not in begun)
        self._reported |= unborne
        return fresh

    def bear(self, namespace: str, name: str, seconds: float) -> None:
        """Its status may be wrong for so long: its operator is killed between any two writes."""
        self._borne[f"{namespace}/{name}"] = seconds

    def _bears(self, wrong: Disagreement) -> bool:
        return wrong.seconds <= self._borne.get(wrong.of.partition(" ")[0], 0)

    def answering(self, namespace: str, name: str) -> str:
        """The version in the newest answer; empty when the newest request had none."""
        newest = max(self._of(namespace, name), key=lambda sample: sample.at, default=None)
        return newest.version if newest is not None else ""

    def answered(self, namespace: str, name: str) -> set[str]:
        """The versions in all answers so far; an empty one is a server's that names none."""
        return {each.version for each in self._of(namespace, name) if each.answered}

    def _of(self, namespace: str, name: str) -> list[Sample]:
        return [each for each in list(self._samples) if each.of.startswith(f"{namespace}/{name} ")]

    def _changed(self, lines: Iterable[str]) -> None:
        for event in map(json.loads, lines):
            thing = event["object"]
            meta = thing["metadata"]
            if meta["namespace"] not in self._ours:
                continue
            of = f"{meta['namespace']}/{meta['name']} {meta['uid']}"
            if event["type"] == "DELETED" or "deletionTimestamp" in meta:
                self._claims.pop(of, None)
                self._prober.write_line(json.dumps({"of": of}))
                continue
            if of not in self._claims:
                self._prober.write_line(json.dumps({"of": of, **_service(thing)}))
            self._judge.saw(thing)
            now = claim_of(thing.get("status", {}))
            self._claims.setdefault(of, []).append((time.monotonic(), now))

    def _seen(self, lines: Iterable[str]) -> None:
        for line in lines:
            of, answered, version, seconds = json.loads(line)
            begun = time.monotonic() - seconds
            if claims := self._claims.get(of):
                current = claims_since(claims, begun)
                self._samples.append(Sample(begun, of, current, answered, version))


@contextmanager
def sampling(kube: Kube) -> Iterator[Sampler]:
    """A sampler that looks while the block runs."""
    with kstatus() as verdict:
        sampler = Sampler(kube, verdict)
        try:
            yield sampler
        finally:
            sampler.stop()


def _service(thing: Object) -> dict[str, str]:
    """Where its readiness can be asked for; a server of the user's own says where by its probe."""
    meta, serving = thing["metadata"], thing["spec"].get("serving", {})
    probe = serving.get("probes", {}).get("readiness", {})
    return {
        "host": f"{meta['name']}.{meta['namespace']}.svc.cluster.local.",
        "path": probe.get("httpGet", {}).get("path", OURS),
    }
