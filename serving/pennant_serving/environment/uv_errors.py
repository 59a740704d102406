"""Whose fault it is that uv gave up, and what it says about it, in two sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.utils import canonicalize_name

from pennant_serving.environment.requirement_lines import RequirementLine
from pennant_serving.failures import PodError, Reason

SENTENCE_CHARACTERS = 500
"""Of one sentence of uv's, at most."""
NAMED_LINES = 5
"""Lines of the requirements that are named, at most."""


def reason(stderr: str) -> Reason:
    """Whose fault it is. What is not understood is the world's: it is tried again."""
    # A refusal hides in "no solution": whatever an index does not show, it seems not to have.
    if _FULL.search(stderr):
        return Reason.CONFIGURATION_ERROR
    if _REFUSED.search(stderr):
        return Reason.CREDENTIALS_MISSING
    if _NO_SOLUTION in stderr or _OF_THE_BUNDLE in stderr:
        return Reason.ENVIRONMENT_MISMATCH
    return Reason.DOWNLOAD_FAILED


def fault(stderr: str) -> PodError:
    """What keeps any bundle's packages from being fetched, and what to do."""
    cause = reason(stderr)
    known = cause if cause in _FAULTS else Reason.DOWNLOAD_FAILED
    what, remedy = _FAULTS[known]
    if _UNTRUSTED in stderr:
        remedy = "put the authority that signed its certificate into the ModelRegistry's caBundle"
    return PodError(known, f"{what}: {explanation(stderr)}: {remedy}")


def explanation(stderr: str) -> str:
    """uv's own words: of a derivation its first step and its last, or why an index refused; else
    what it was about and the cause."""
    causes, hints = _causes(stderr), _hints(stderr)
    if _NO_SOLUTION not in stderr:
        about = next((each for each in causes if _FETCHING in each), causes[0])
        chosen = [about, causes[-1]]
    elif refusals := [each for each in hints if _REFUSED.search(each)]:
        chosen = refusals[:1]
    else:
        steps = [_CONCLUSION.sub("", each) for each in _STEPS.split(" ".join(causes[1:]))]
        chosen = [steps[0], *(hints or steps[1:])[-1:]]
    return ". ".join(dict.fromkeys(_shown(each) for each in chosen))


def lines_about(stderr: str, lines: Iterable[RequirementLine]) -> list[str]:
    """Those of the bundle's lines whose package it speaks of."""
    named = {canonicalize_name(word) for word in _WORD.findall(" ".join(_causes(stderr)))}
    return [line.text for line in lines if line.name in named][:NAMED_LINES]


def _causes(stderr: str) -> list[str]:
    """The error and what it came of, a line each, without hints and warnings."""
    joined: list[str] = []
    for line in stderr.partition("hint:")[0].splitlines():
        text = line.strip()
        if match := _BEGINNING.match(text):
            joined.append(text[match.end() :])
        elif text and joined:
            joined[-1] += f" {text}"
    return joined or [stderr.strip() or "it ended without a word"]


def _hints(stderr: str) -> list[str]:
    parts = re.split(r"^\s*hint:\s*", stderr, flags=re.MULTILINE)[1:]
    return [" ".join(part.split()) for part in parts]


def _shown(text: str) -> str:
    """Without the query of an address, which may be a signature."""
    plain = _QUERY.sub(r"\1", text).rstrip(". ")
    cut = len(plain) > SENTENCE_CHARACTERS
    return plain[:SENTENCE_CHARACTERS] + "..." if cut else plain


_FAULTS = {
    Reason.CONFIGURATION_ERROR: (
        "the volume is too small for the bundle and its environment",
        "raise serving.storage.size",
    ),
    Reason.CREDENTIALS_MISSING: (
        "the package index refuses fetch",
        "put a username and a password that it takes into environments.credentialsSecret",
    ),
    Reason.DOWNLOAD_FAILED: (
        "packages could not be fetched",
        "see environments.indexURL of the ModelRegistry",
    ),
}
_NO_SOLUTION = "No solution found"
_OF_THE_BUNDLE = " @ file://"
_FETCHING = "Failed to fetch"
_UNTRUSTED = "invalid peer certificate"
_FULL = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b")
_REFUSED = re.compile(
    r"401 Unauthorized|403 Forbidden|valid authentication credentials|Missing credentials"
)
_BEGINNING = re.compile(r"(?:error|cause):\s*")
_STEPS = re.compile(r"(?<=\.)\s+(?=And |Because |So, )")
_CONCLUSION = re.compile(r",? we can conclude that your requirements are unsatisfiable")
_QUERY = re.compile(r"(https?://[^\s?]+)\?[^\s)`]*")
_WORD = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")
