"""The same bytes to MLflow's scoring application and to ours: the same answers and refusals, but
where docs/serving.md says."""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from mlflow.sklearn import save_model

from pennant_testing.running.generated_examples import FACTOR
from pennant_testing.serving import differential, flavor_models
from pennant_testing.serving.differential import Bundles, ServerAnswer, ServerPair
from pennant_testing.serving.every_request import VALUES, bodies, csvs
from pennant_testing.serving.every_result import results
from pennant_testing.serving.every_signature import HINTS, signatures
from pennant_testing.serving.seeing_models import Answering, Seeing, hinted
from pennant_testing.serving.trained_estimators import estimators

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

SHARE = 0.3 * FACTOR
"""Of all pairs of a model and a request: all would take ten minutes."""
BY_PLACE = re.compile(
    "missing inputs|Invalid object type|Could not convert object|all scalar values|safely convert"
    "|array element with a sequence|Reshape your data|unseen at fit time"
)
"""What MLflow, or scikit-learn behind it, says to rows whose names or types are not to the letter
those of the signature, but which can mean only one thing."""
LOST = re.compile(
    r"\bis (u?int\d+|int|whole|bool|boolean|text)\b|not all of its values are|cannot be null"
    r"|float64 to <U0"
)
"""What we say to a value that MLflow would change without a word."""


@dataclass(frozen=True)
class Asked:
    """One request to both, and what came of it."""

    what: str
    body: bytes
    theirs: ServerAnswer
    ours: ServerAnswer

    def __str__(self) -> str:
        lines = (self.what, self.body, self.theirs.text[-300:], self.ours.text[-300:])
        return "\n  ".join(map(str, lines))


def differs(asked: Asked) -> bool:
    """Whether the answers are neither the same nor meant to differ (docs/serving.md)."""
    theirs, ours = asked.theirs, asked.ours
    match theirs.status, ours.status:
        case 200, 200:
            return not alike(theirs.content["predictions"], ours.content["predictions"])
        case 200, 400:
            return not LOST.search(ours.text)
        case 400, 200:
            return not BY_PLACE.search(theirs.text)
        case 400, 500:
            return "the model raised" not in ours.text
    return theirs.status != ours.status


def alike(theirs: Any, ours: Any) -> bool:
    """Equal, up to how exactly a 32-bit float is written, null for NaN and among texts."""
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(alike, theirs, ours))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return theirs.keys() == ours.keys() and all(alike(theirs[k], ours[k]) for k in theirs)
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        return theirs == pytest.approx(ours, rel=1e-6)
    return theirs == ours or (theirs != theirs and ours is None) or is_kept_null(theirs, ours)


def is_kept_null(theirs: Any, ours: Any) -> bool:
    """NumPy makes a text of a null that is among texts."""
    return ours in ("NoneType None", "object") and theirs in ("str 'None'", "str", "<U4")


def sample(name: str, requests: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The same share of the requests in every run."""
    draw = np.random.default_rng(len(name)).random
    return ((what, body) for what, body in requests if draw() < SHARE)


def all_requests() -> Iterator[tuple[str, bytes]]:
    for value in VALUES:
        yield from ((what, json.dumps(body).encode()) for what, body in bodies(value))
        yield from csvs(value)


def ask_all(pair: ServerPair, name: str) -> list[Asked]:
    """A share of all requests."""
    asked = []
    for what, body in sample(name, all_requests()):
        kind = "text/csv" if what.startswith("csv") else "application/json"
        asked.append(Asked(f"{name}: {what}", body, *pair.ask(body, kind)))
    return asked


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """MLflow logs every request that does not fit."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def seeing(tmp_path_factory) -> Bundles:
    return Bundles(tmp_path_factory.mktemp("seeing"), Seeing())


SIGNATURES = dict(signatures())
ESTIMATORS = {name: rest for name, *rest in estimators()}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_model_sees_what_it_sees_behind_mlflow(seeing, name):
    asked = ask_all(differential.pair(seeing.signed(SIGNATURES[name])), name)
    assert not [str(each) for each in asked if differs(each)]


@pytest.mark.parametrize("name", HINTS)
def test_a_model_with_a_type_hint_sees_what_it_sees_behind_mlflow(tmp_path, name):
    bundle = Bundles(tmp_path, hinted(HINTS[name])).plain
    asked = ask_all(differential.pair(bundle), name)
    assert not [str(each) for each in asked if differs(each)]


def with_value(body: Any, value: Any) -> bytes:
    """The request with this in the place of its first value."""
    changed = copy.deepcopy(body)
    ((form, content),) = changed.items()
    rows = content["data"] if form == "dataframe_split" else content
    row = rows["a"] if isinstance(rows, dict) else rows[0]
    row["a" if isinstance(row, dict) else 0] = value
    return json.dumps(changed).encode()


@pytest.mark.parametrize("name", flavor_models.MODELS)
def test_boosted_trees_and_graphs_answer_as_they_do_behind_mlflow(tmp_path, name):
    pair = differential.pair(flavor_models.save_model(name, tmp_path / "m"))
    values = (*VALUES, 0.25)
    requests = flavor_models.BODIES[name].items()
    asked = [
        Asked(f"{name}: {what}", raw, *pair.ask(raw))
        for what, body in requests
        for raw in (with_value(body, value) for value in values)
    ]
    assert not [str(each) for each in asked if differs(each)]


def test_requests_to_language_models_are_not_supported_and_told_so(seeing):
    client = differential.served(seeing.plain, "auto")
    for key in ("messages", "prompt", "input"):
        answer = client.post("/invocations", json={key: [{"role": "user", "content": "x"}]})
        assert (answer.status_code, "language models" in answer.text) == (400, True)


@pytest.mark.parametrize("adapter", ["auto", "pyfunc"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_answers_as_it_does_behind_mlflow(tmp_path, name, adapter):
    estimator, _rows, signature = ESTIMATORS[name]
    how = {"serialization_format": "cloudpickle"} | differential.NEEDS
    save_model(estimator, tmp_path / "m", signature=signature, **how)
    asked = ask_all(differential.pair(tmp_path / "m", adapter), name)
    if name.startswith("texts") and adapter == "auto":  # it is never given a frame, see below
        asked = [each for each in asked if each.what.endswith(("instances flat", "inputs flat"))]
    assert not [str(each) for each in asked if differs(each)]


@pytest.fixture(scope="module")
def answering(tmp_path_factory) -> ServerPair:
    bundles = Bundles(tmp_path_factory.mktemp("answering"), Answering())
    return differential.pair(bundles.signed(None))


MEANT = {"a set": (500, 200), "times in nanoseconds": (200, 200)}
"""Results that only ours can write, and those that MLflow writes as whole numbers."""


@pytest.mark.parametrize("name", results())
def test_a_prediction_is_written_as_mlflow_writes_it(answering, name):
    body = json.dumps({"dataframe_records": [{"result": name}]}).encode()
    theirs, ours = answering.ask(body)
    if name in MEANT:
        assert (theirs.status, ours.status) == MEANT[name]
    else:
        assert not differs(Asked(name, body, theirs, ours)), (theirs, ours)
