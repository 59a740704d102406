"""docs/troubleshooting.md holds every message of the product, and none that it cannot print.

UPDATE_GOLDEN=1 rewrites the list of the API server's refusals in it.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_operator.decide.candidate.faults import FAULTS
from pennant_operator.decide.vocabulary import EventReason, Reason
from pennant_registry import errors
from pennant_serving.failures import Reason as PodReason
from pennant_testing.memory.situations import table

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
TEXT = PAGE.read_text()
SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
RULES = re.compile(r"(<!-- generated: rules -->\n).*(<!-- end of rules -->)", re.DOTALL)
PROSE = re.compile(r"[A-Za-z]{2,},?:? [a-z]")
# What a container of ours may leave as its termination message; answers to requests are elsewhere.
SERVING = (
    *(
        "fetch/*.py",
        "__main__.py",
        "bundle/bundle.py",
        "environ.py",
        "failures.py",
        "bundle/mlmodel.py",
        "cache/following.py",
        "environment/*.py",
    ),
    *("lobby/__main__.py", "lobby/settings.py", "rehearsal/judging.py", "rehearsal/rehearse.py"),
    *("process/selftest.py", "process/startup.py", "process/supervisor.py", "sampling/sampling.py"),
    *("process/trial.py", "settings.py", "adapters/loading.py", "adapters/trouble.py"),
    *(
        "adapters/flavors.py",
        "adapters/estimators.py",
        "adapters/boosted.py",
        "adapters/versions.py",
        "adapters/differences.py",
        "adapters/native_xgboost.py",
        "adapters/native_lightgbm.py",
    ),
)
HELP = {"Argument", "Option", "Typer", "working"}
"""Calls of the command line whose sentences are those of `--help`, or of a spinner."""
ENDS = re.compile(r"\b(PodError|SettingsError|NotNative)\(")
NOT_MESSAGES = (
    # What others say, to be understood.
    *(
        "runAsNonRoot|run as root",
        "exceeded quota",
        "failed quota",
        "failed to create typed patch object",
        "persistent ?volume|pvc|volume (?:node affinity|zone)",
    ),
    r"serving since (\S+?)(?:,|$)",
    *("Host header", "Invalid Host header", "refers to a directory", "not found"),
    r'message: "([^"]+)"|(failed to lookup address[^"\n]*)|(operation timed out)',
    "SSL certificate",
    (
        "import sys; here = '%d.%d' % sys.version_info[:2]; "
        "sys.exit(here != sys.argv[1] and sys.argv[2] % here)"
    ),
    *(
        "No solution found",
        "Failed to fetch",
        "invalid peer certificate",
        "environment for Python ",
    ),
    r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b",
    "401 Unauthorized|403 Forbidden|valid authentication credentials|Missing credentials",
    r",? we can conclude that your requirements are unsatisfiable",
    r'secret "[^"]*" not found|couldn\'t find key \S+ in Secret',
    " is used without a lock: ",  # a line of the log: it stays for an hour by its last use
    " has been silent for ",  # a line of the log: the worker's place is taken by another
    # Lines of the log of what went well.
    *("skipped: off, or no input example", "requests are predicted ", "one by one"),
    *(", up to ", " rows in the event loop", "passed, though ", "serving.adapter says so"),
    # What a command of `pennant` has done.
    *("it held none before", "before: version ", "; overridden: "),
    *(
        " is on hold; to let it go out: pennant release ",
        "no move of ",
        " is recorded: moves by MLflow's own means leave no record",
    ),
    *(": no more ", "rolled back"),
    *(" do not differ in anything that is known of them", "no version that is known of"),
    *("served at ", "in doubt: ", ": not known"),
    *("the bundle has the ", "the bundle has none of the flavors that are served natively"),
)


def sections() -> dict[str, str]:
    return dict(SECTION.findall(TEXT))


def templates(text: str) -> list[str]:
    return [line for block in BLOCK.findall(text) for line in block.splitlines()]


def plain(text: str) -> str:
    return " ".join(text.split())


def sources() -> Iterator[Path]:
    operator = ROOT / "operator" / "pennant_operator"
    nobody_reads = {"metrics", "strategies.py"}  # help of metrics, and what a strategy promises
    yield from (
        path for path in operator.rglob("*.py") if not nobody_reads & {path.name, path.parent.name}
    )
    yield from (ROOT / "registry").rglob("*.py")
    yield from (ROOT / "cli").rglob("*.py")
    for pattern in SERVING:
        yield from (ROOT / "serving" / "pennant_serving").glob(pattern)


def prose(path: Path) -> Iterator[str]:
    """The pieces of sentences in a module that are neither docstrings nor comments."""
    tree = ast.parse(path.read_text())
    passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    passed_over |= {id(each) for node in ast.walk(tree) if is_help(node) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in passed_over:
            continue
        if isinstance(node.value, str) and node.value not in NOT_MESSAGES:
            yield from (p for p in re.split(r"%[sd]", node.value) if PROSE.search(p))


def is_help(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) in HELP


@pytest.mark.parametrize("path", [*sources()], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_of_the_code_is_found_on_the_page(path):
    printed = plain(" ".join(templates(TEXT)))
    missing = [piece for piece in prose(path) if plain(piece).rstrip(".") not in printed]
    assert missing == []


def test_every_module_that_can_end_a_container_is_looked_through():
    serving = (ROOT / "serving" / "pennant_serving").rglob("*.py")
    assert {path for path in serving if ENDS.search(path.read_text())} <= {*sources()}


def test_the_page_has_no_sentence_that_the_code_cannot_print():
    every = (*sources(), *(ROOT / "serving").rglob("*.py"))
    known = {plain(piece) for path in every for piece in prose(path)} | {"which serves"}

    def printable(line: str) -> bool:
        pieces = [p for p in re.split(r"<[^<>]*>", line) if PROSE.search(p)]
        return not pieces or any(piece in line or line in piece for piece in known)

    by_hand = RULES.sub("", TEXT)
    assert [line for line in templates(by_hand) if not printable(line)] == []


def test_every_reason_has_a_heading_and_every_heading_a_reason():
    own = {str(reason) for reason in (*Reason, *EventReason, *PodReason, *FAULTS)}
    own |= {name for name in vars(errors) if name.endswith("Error")}
    headings = {"Answering", "NotAnswering", "Taken", "NotTaken", "InvalidSpec of a ModelRegistry"}
    headings |= {"NotBraked", "AliasesMoved", "Resumed", "Off", "Written", "NotWritten"}
    headings |= {"Notifiers", "ImageError", "Calling pennant", "What is not known of a moment"}
    headings |= {"Decisions", "What pennant check finds", "What pennant doctor finds"}
    headings |= {"It cannot start", "Every column is blank", "While it runs"}
    assert set(sections()) == own | headings


def pattern(template: str) -> re.Pattern[str]:
    """A template as what it matches; placeholders stand for anything, nested ones too."""
    while (inner := re.sub(r"<[^<>]*>", "\0", template)) != template:
        template = inner
    return re.compile(".*".join(re.escape(part) for part in template.split("\0")))


def test_every_message_of_the_truth_table_is_under_its_reason():
    page = {reason: [pattern(t) for t in templates(text)] for reason, text in sections().items()}
    stated = {(c["reason"], c["message"]) for outcome in table().values() for c in _all(outcome)}
    assert [(r, m) for r, m in stated if not any(p.fullmatch(m) for p in page[r])] == []


def _all(outcome: Any) -> list[dict[str, Any]]:
    return list(outcome.conditions.values())


def rules(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else ():
        yield from rules(part)


def test_every_refusal_of_the_api_server_is_listed():
    listed = []
    for name in ("modeldeployments", "modelregistries", "rolloutactions"):
        crd = yaml.safe_load((ROOT / "manifests" / "crd" / f"{name}.yaml").read_text())
        found, title = rules(crd), crd["spec"]["names"]["kind"]
        listed.append("\n".join((f"{title}:\n", "```text", *dict.fromkeys(found), "```")))
    text = RULES.sub(lambda m: f"{m[1]}\n" + "\n\n".join(listed) + f"\n\n{m[2]}", TEXT)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text


def test_every_cure_is_told_under_its_reason():
    page = sections()
    assert [r for r, a in FAULTS.items() if a.cure and a.cure not in page[str(r)]] == []


def test_readme_and_concepts_lead_to_the_page():
    assert "docs/troubleshooting.md" in (ROOT / "README.md").read_text()
    assert "troubleshooting.md" in (ROOT / "docs" / "concepts.md").read_text()
