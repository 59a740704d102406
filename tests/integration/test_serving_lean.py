"""scikit-learn without scipy.stats: less to import, and the same answers where it is needed."""

import ast
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, StandardScaler

from pennant_serving.adapters.estimators import SCIPY_STATS
from pennant_testing.folders import SUPPORT
from pennant_testing.serving import every_estimator

pytestmark = pytest.mark.integration

INPUTS = np.random.default_rng(0).normal(size=(80, 3))
LABELS = (INPUTS.sum(axis=1) > 0).astype(int)
# In a process of its own: this one has imported everything already.
LOAD = """
import json, pickle, sys
from pathlib import Path

from pennant_serving.adapters.estimators import import_sklearn

import_sklearn()
model, inputs = pickle.loads(Path(sys.argv[1]).read_bytes())
assert "scipy.stats" not in sys.modules and "pandas" not in sys.modules
print(json.dumps([model.predict(inputs).tolist(), "scipy.stats" in sys.modules]))
"""


def in_a_lean_process(code: str, *arguments: object, path: Path | None = None) -> str:
    """`path` is where it finds modules beside the installed ones."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    found = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=found)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        (RandomForestClassifier(3, random_state=0), False),
        (HistGradientBoostingClassifier(max_iter=3), False),
        (make_pipeline(PowerTransformer(), LogisticRegression()), True),
        (make_pipeline(QuantileTransformer(n_quantiles=9, output_distribution="normal"),
                       LogisticRegression()), True),
    ],
    ids=["linear", "forest", "boosted", "power", "quantile"],
)  # fmt: skip
def test_a_model_answers_the_same_and_imports_scipy_stats_when_it_needs_it(tmp_path, model, needed):
    model.fit(INPUTS, LABELS)
    path: Path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps((model, INPUTS)))
    answers, was_imported = json.loads(in_a_lean_process(LOAD, path))
    assert (answers, was_imported) == (model.predict(INPUTS).tolist(), needed)


def test_fitting_uses_its_functions_and_objects_as_ever(tmp_path):
    """What scikit-learn took from it by name: spearmanr, and the distribution chi2."""
    code = """
import json, sys
import numpy as np
from pennant_serving.adapters.estimators import import_sklearn

import_sklearn()
from sklearn.covariance import EllipticEnvelope
from sklearn.isotonic import IsotonicRegression

inputs = np.load(sys.argv[1])
envelope = EllipticEnvelope(random_state=0).fit(inputs)
line = IsotonicRegression(increasing="auto").fit(inputs[:, 0], inputs.sum(axis=1))
print(json.dumps([envelope.predict(inputs).tolist(), line.predict(inputs[:, 0]).tolist()]))
"""
    path = tmp_path / "inputs.npy"
    np.save(path, INPUTS)
    envelope = EllipticEnvelope(random_state=0).fit(INPUTS)
    line = IsotonicRegression(increasing="auto").fit(INPUTS[:, 0], INPUTS.sum(axis=1))
    expected = [envelope.predict(INPUTS).tolist(), line.predict(INPUTS[:, 0]).tolist()]
    assert json.loads(in_a_lean_process(code, path)) == expected


def test_all_of_scikit_learn_can_be_imported_afterwards_and_others_get_the_real_module():
    code = """
from pennant_serving.adapters.estimators import import_sklearn

import_sklearn()
from sklearn.utils import all_estimators, fixes
import scipy.stats
from scipy.stats import norm

print(len(all_estimators()), norm.cdf(0), scipy.stats.__file__ is not None)
print(fixes.scipy.stats is scipy.stats)
"""
    found, half, *real = in_a_lean_process(code).split()
    assert (int(found) > 150, half, real) == (True, "0.5", ["True", "True"])


def test_every_estimator_answers_as_in_a_process_that_hid_nothing(tmp_path):
    """Each is loaded in both and asked everything it answers, with arrays and then with frames."""
    lean = """
import sys
from pennant_serving.adapters.estimators import import_sklearn

import_sklearn()
assert "scipy.stats" not in sys.modules and "pandas" not in sys.modules
"""
    ask = """
import json, pickle, sys, warnings
from pathlib import Path

warnings.simplefilter("ignore")  # scikit-learn's own, about what it is to drop
found = {path.name: pickle.loads(path.read_bytes()) for path in Path(sys.argv[1]).iterdir()}
from pennant_testing.serving import every_estimator
told = {name: [every_estimator.answers(model)] for name, model in found.items()}
import pandas as pd
frame = pd.DataFrame(every_estimator.INPUTS)
for name, model in found.items():
    told[name].append(every_estimator.answers(model, frame))
print(json.dumps(told))
"""
    for name, model in every_estimator.fitted():
        (tmp_path / name).write_bytes(pickle.dumps(model))
    ours, theirs = (
        json.loads(in_a_lean_process(code + ask, tmp_path, path=SUPPORT)) for code in (lean, "")
    )
    assert len(theirs) > 180
    assert [name for name in theirs if str(ours[name]) != str(theirs[name])] == []


def test_nothing_but_one_module_of_scikit_learn_looks_for_pandas_and_does_not_use_it():
    """What else did so while pandas is hidden would take it for not installed, for good."""
    code = """
import builtins, sys

looked, ordinary = set(), builtins.__import__

def noting(name, globals=None, *more):
    if name.partition(".")[0] == "pandas":
        looked.add((globals or {}).get("__name__"))
    return ordinary(name, globals, *more)

builtins.__import__ = noting
from pennant_serving.adapters.estimators import import_sklearn
import_sklearn()
print(*looked)
"""
    assert in_a_lean_process(code).split() == ["sklearn.utils.fixes"]
    used = [line for line, node in uses("sklearn.utils.fixes", "pd") if node is not None]
    assert used == []
    root = Path(sklearn.__file__).parent
    borrowing = [p for p in root.rglob("*.py") if "fixes import pd\n" in p.read_text()]
    assert borrowing == []


# What a stand-in is as good as the real one for: being called, or asked for an attribute.
HARMLESS = (ast.Call, ast.Attribute)


def uses(module: str, name: str) -> Iterator[tuple[int, ast.AST | None]]:
    """Where a module uses a global name: the line, and what is done with it.

    None: it is an argument of a function, so another thing of that name.
    """
    tree = ast.parse(Path(importlib_file(module)).read_text())
    own = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and name in {each.arg for each in node.args.args}
    ]
    inside = {id(each) for function in own for each in ast.walk(function)}
    parents = {id(c): node for node in ast.walk(tree) for c in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node.lineno, None if id(node) in inside else parents[id(node)]


def importlib_file(module: str) -> str:
    return sys.modules[module].__file__ or ""


def test_scikit_learn_does_with_scipy_stats_only_what_a_stand_in_can_do():
    """Called, or asked for what is called later: never a base class, a default or an `is`."""
    code = """
import json, sys
from pennant_serving.adapters import lean
from pennant_serving.adapters.estimators import import_sklearn

import_sklearn()
kinds = (lean._Later, lean._StandIn)
modules = [(n, m) for n, m in sys.modules.items() if m is not None]
held = [(n, k) for n, m in modules for k, v in list(vars(m).items()) if type(v) in kinds]
print(json.dumps(held))
"""
    held = json.loads(in_a_lean_process(code))
    assert held  # else nothing is deferred any more, and all this can go
    odd = []
    for module, name in held:
        __import__(module)
        for line, parent in uses(module, name):
            if parent is not None and not isinstance(parent, HARMLESS):
                odd.append((module, name, line))
    assert odd == []


@pytest.mark.parametrize(
    "release",
    [
        "from scipy.stats.mstats import gmean",
        "import pandas as pd\nFRAME = pd.DataFrame",
        "from scipy import stats\nclass Mine(stats.rv_continuous): pass",
        "from scipy import stats\nassert stats.gmean is stats.gmean",
    ],
    ids=["a module of it", "pandas", "a class", "is"],
)
def test_a_release_with_which_it_does_not_work_is_imported_as_ever(tmp_path, release):
    (tmp_path / "release.py").write_text(release)
    code = """
from pennant_serving.adapters import estimators

estimators.SCIPY_STATS += ("release",)
estimators.import_sklearn()
import release
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import PowerTransformer

print(*LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[0.0], [1.0]]))
print(PowerTransformer().fit_transform([[1.0], [2.0], [4.0]]).shape)
"""
    assert in_a_lean_process(code, path=tmp_path) == "0 1\n(3, 1)\n"


def test_a_stand_in_is_a_base_class_a_class_to_compare_with_and_an_equal():
    code = """
import sys
from pennant_serving.adapters.lean import deferred

with deferred("scipy.stats"):
    from scipy.stats import norm, rv_continuous
    import scipy
assert "scipy.stats" not in sys.modules
class Mine(rv_continuous): pass
import scipy.stats as real
print(Mine.__mro__[1] is real.rv_continuous, isinstance(Mine(), rv_continuous))
print(issubclass(Mine, rv_continuous), isinstance(1, rv_continuous))
print(rv_continuous == real.rv_continuous, {real.rv_continuous: 1}[rv_continuous])
print(norm.cdf(0) == real.norm.cdf(0))
"""
    assert in_a_lean_process(code).split() == [
        *["True", "True", "True", "False", "True", "1", "True"]
    ]


def test_every_module_that_is_imported_ahead_is_there():
    """One that a release has renamed would undo all of it in silence."""
    for module in SCIPY_STATS:
        __import__(module)
