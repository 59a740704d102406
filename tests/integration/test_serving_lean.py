"""scikit-learn without scipy.stats: less to import, and the same answers where it is needed."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, StandardScaler

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
assert "scipy.stats" not in sys.modules
print(json.dumps([model.predict(inputs).tolist(), "scipy.stats" in sys.modules]))
"""


def in_a_lean_process(code: str, *arguments: object) -> str:
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
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
