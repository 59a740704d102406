"""skops files load as skops itself loads them, with less imported."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler
from sklearn.utils import all_estimators
from skops.io import dump

from pennant_serving.adapters import skops_file

pytestmark = pytest.mark.integration

INPUTS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (INPUTS.sum(axis=1) > 0).astype(int)
TREE = "sklearn.tree._tree.Tree"
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# In a process of its own: this one has imported all of skops already.
LOAD = """
import sys
from pathlib import Path

import numpy as np

from pennant_serving.adapters import skops_file

model = skops_file.load(Path(sys.argv[1]), sys.argv[3:])
print("sklearn.gaussian_process" in sys.modules)
print(*model.predict(np.load(sys.argv[2])))
"""


def load(folder: Path, model: object, *trusted: str) -> subprocess.CompletedProcess[str]:
    path, inputs = folder / "model.skops", folder / "inputs.npy"
    dump(model, path)
    np.save(inputs, INPUTS)
    command = [sys.executable, "-c", LOAD, path, inputs, *trusted]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), []),
        (make_pipeline(QuantileTransformer(n_quantiles=10, output_distribution="normal"),
                       RandomForestClassifier(3, random_state=0)), [TREE]),
        (HistGradientBoostingClassifier(max_iter=3), [TREES]),
        (make_pipeline(FunctionTransformer(special.expit), FunctionTransformer(np.log1p),
                       LogisticRegression()), []),
    ],
    ids=["linear", "forest", "boosted", "ufuncs"],
)  # fmt: skip
def test_a_model_is_loaded_without_the_rest_of_scikit_learn(tmp_path, model, trusted):
    model.fit(INPUTS, LABELS)
    done = load(tmp_path, model, *trusted)
    assert done.returncode == 0, done.stderr
    said, *answers = done.stdout.split()
    assert said == "False"
    assert [int(answer) for answer in answers] == list(model.predict(INPUTS))


class Stranger(BaseEstimator):
    """An estimator that is none of scikit-learn's."""


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (RandomForestClassifier(2).fit(INPUTS, LABELS), TREE),
        (Stranger(), "Stranger"),
        (FunctionTransformer(np.save), "numpy.save"),
    ],
    ids=["tree", "stranger", "function"],
)
def test_what_skops_does_not_trust_is_still_refused(tmp_path, model, name):
    done = load(tmp_path, model)
    assert done.returncode == 1
    assert "Untrusted types found in the file" in done.stderr
    assert name in done.stderr


def test_every_estimator_that_skops_would_find_is_known_by_its_name():
    found = [estimator for _, estimator in all_estimators()]
    assert len(found) > 150
    unknown = [e for e in found if not skops_file.is_estimator(e.__module__, e.__name__)]
    assert unknown == []


def test_every_ufunc_that_skops_would_find_is_known_by_its_name():
    """In a process of its own, where skops has not searched."""
    code = """
import numpy as np
from scipy import special
from pennant_serving.adapters import skops_file

skops_file._skops_io()
from skops.io._utils import get_public_type_names

names = [get_public_type_names(module, np.ufunc) for module in (np, special)]
print(*(len(each) for each in names))
print([n for each in names for n in each if not skops_file.is_public(*n.rsplit(".", 1))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    counts, unknown = done.stdout.splitlines()
    assert min(int(count) for count in counts.split()) > 50
    assert unknown == "[]"
