"""Gates: what a version must be before it may have an alias, or pods. Pure.

`parse` reads them as they are written in YAML, `evaluate` says of each whether it is passed, failed
or unknown, with value, bound and a sentence. A training job's `promote` and whoever else asks get
the same words.
"""

from pennant_registry.gates.evaluate import evaluate, open_at, refusals
from pennant_registry.gates.facts import BundleFacts, VersionFacts, bundle_facts
from pennant_registry.gates.form import (
    NO_GATES,
    Change,
    Closed,
    Gates,
    MetricGate,
    MetricMin,
    TagGate,
)
from pennant_registry.gates.parse import parse
from pennant_registry.gates.result import GateResult, Result

__all__ = [
    "NO_GATES",
    "BundleFacts",
    "Change",
    "Closed",
    "GateResult",
    "Gates",
    "MetricGate",
    "MetricMin",
    "Result",
    "TagGate",
    "VersionFacts",
    "bundle_facts",
    "evaluate",
    "open_at",
    "parse",
    "refusals",
]
