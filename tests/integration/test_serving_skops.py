"""skops files load as skops itself loads them, and are refused as it refuses them, with less
imported; where skops is not as it is known, by skops itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler
from sklearn.utils._mocking import CheckingClassifier
from skops.io import dump

from pennant_testing.serving.skops_processes import ITSELF, LEAN, answer_of, run_python

pytestmark = pytest.mark.integration

INPUTS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (INPUTS.sum(axis=1) > 0).astype(int)
TREE = "sklearn.tree._tree.Tree"
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
LOAD = """
import sys
from pathlib import Path

import numpy as np

model = load(Path(sys.argv[1]), sys.argv[3:])
print("sklearn.gaussian_process" in sys.modules)
print(*model.predict(np.load(sys.argv[2])))
"""


def loaded(folder: Path, model: object, *trusted: str, by: str = LEAN):
    path, inputs = folder / "model.skops", folder / "inputs.npy"
    dump(model, path)
    np.save(inputs, INPUTS)
    return run_python(by + LOAD, path, inputs, *trusted)


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), []),
        (make_pipeline(QuantileTransformer(n_quantiles=10, output_distribution="normal"),
                       RandomForestClassifier(3, random_state=0)), [TREE]),
        (HistGradientBoostingClassifier(max_iter=3), [TREES]),
        (GradientBoostingClassifier(n_estimators=3), [TREE]),
        (make_pipeline(FunctionTransformer(special.expit), FunctionTransformer(np.log1p),
                       LogisticRegression()), []),
    ],
    ids=["linear", "forest", "histograms", "boosted", "ufuncs"],
)  # fmt: skip
def test_a_model_is_loaded_without_the_rest_of_scikit_learn(tmp_path, model, trusted):
    """Where this fails for a new release, all answers may still be right: it steps back then."""
    model.fit(INPUTS, LABELS)
    done = loaded(tmp_path, model, *trusted)
    assert (done.returncode, done.stderr) == (0, "")
    are_trusted, *answers = done.stdout.split()
    assert are_trusted == "False"
    assert [int(answer) for answer in answers] == list(model.predict(INPUTS))


class Stranger(BaseEstimator):
    """An estimator that is none of scikit-learn's."""


REFUSED = {
    "tree": RandomForestClassifier(2).fit(INPUTS, LABELS),
    "stranger": Stranger(),
    "function": FunctionTransformer(np.save),
    "an estimator's class as a value": FunctionTransformer(LogisticRegression),
    "an estimator's class in a list": FunctionTransformer(kw_args={"a": [StandardScaler]}),
    "of the library's own tests": CheckingClassifier(),
    "a method": FunctionTransformer(LogisticRegression().fit),
    "a ufunc of another module": FunctionTransformer(np.linalg._umath_linalg.det),
}


OUTCOMES = """
import json, sys
from pathlib import Path

import numpy as np

def outcome(path):
    try:
        return load(path, []).predict(np.load(sys.argv[1])).tolist()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

print(json.dumps([outcome(Path(path)) for path in sys.argv[2:]]))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What is refused, and before it a model that is not."""
    folder = tmp_path_factory.mktemp("files")
    fine = make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()).fit(INPUTS, LABELS)
    np.save(folder / "inputs.npy", INPUTS)
    paths = {}
    for name, model in {"fine": fine, **REFUSED}.items():
        paths[name] = folder / f"{name}.skops"
        dump(model, paths[name])
    return paths


def outcomes(by: str, files: dict[str, Path], *names: str) -> list[Any]:
    paths = [files[name] for name in names]
    return list(answer_of(by + OUTCOMES, paths[0].with_name("inputs.npy"), *paths))


@pytest.fixture(scope="module")
def by_itself(files: dict[str, Path]) -> dict[str, Any]:
    """What skops makes of them."""
    outcome_of = dict(zip(files, outcomes(ITSELF, files, *files), strict=True))
    assert len(outcome_of["fine"]) == len(INPUTS)
    assert all("Untrusted types found in the file" in outcome_of[name] for name in REFUSED)
    return outcome_of


@pytest.mark.parametrize("name", REFUSED)
def test_what_skops_refuses_is_refused_in_the_same_words(files, by_itself, name):
    assert outcomes(LEAN, files, name) == [by_itself[name]]


def test_a_file_that_names_a_module_does_not_have_it_imported(tmp_path):
    """Also not one of scikit-learn's own: that a file names it is no reason to run it."""
    code = (
        LEAN
        + """
import json
from pennant_serving.adapters.skops_file import is_estimator

named = [("sklearn.tests.test_base", "MyEstimator"), ("sklearn.externals._arff", "X")]
named += [("sklearn.linear_model._no_such", "X"), ("antigravity", "X"), ("sklearn", "X")]
named += [("sklearn.ensemble._no_such", "BaseEnsemble"), ("sklearn.utils._mocking", "X")]
before = set(sys.modules) if (sys := __import__("sys")) else None
found = [is_estimator(*each) for each in named]
after = {name for name in set(sys.modules) - before if "._" not in name}
print(json.dumps([found, sorted(after & {"antigravity", "sklearn.tests", "sklearn.externals"})]))
"""
    )
    assert answer_of(code) == [[False] * 7, []]


# What a new release might do: a module, and by turns texts of it and texts instead.
RELEASES = {
    "finds estimators elsewhere": (
        "skops.io._trusted_types",
        "from sklearn.utils import all_estimators",
        "from sklearn.utils.discovery import all_estimators",
    ),
    "names its search otherwise": (
        "skops.io._trusted_types",
        *("import get_public_type_names", "import get_public_type_names as f"),
        *(" = get_public_type_names(", " = f("),
    ),
    "fills a list in another way": (
        "skops.io._trusted_types",
        "SKLEARN_ESTIMATOR_TYPE_NAMES = [",
        "SKLEARN_ESTIMATOR_TYPE_NAMES = ESTIMATORS = [str(__name__)] + [",
    ),
    "goes by copies": (
        "skops.io._general",
        "def function_get_state",
        "NUMPY_UFUNC_TYPE_NAMES = [*NUMPY_UFUNC_TYPE_NAMES]\ndef function_get_state",
    ),
    "names types otherwise": (
        "skops.io._utils",
        "def get_type_name(",
        "get_type_name = lambda t: f'{get_module(t)}.{t.__name__}'\ndef _other(",
    ),
    "searches for one kind more": (
        "skops.io._trusted_types",
        "NUMPY_DTYPE_TYPE_NAMES = ",
        "MORE = get_public_type_names(module=np.random, oftype=type)\nNUMPY_DTYPE_TYPE_NAMES = ",
    ),
    "has what cannot be imported without the search": (
        "skops.io._trusted_types",
        "SKLEARN_INTERNAL_TYPE_NAMES = [",
        "FIRST = SKLEARN_ESTIMATOR_TYPE_NAMES[0]\nSKLEARN_INTERNAL_TYPE_NAMES = [",
    ),
    "scikit-learn: ignores modules otherwise": (
        "sklearn.utils.discovery",
        "_MODULE_TO_IGNORE",
        "_IGNORED",
    ),
}
ANOTHER_RELEASE = """
import importlib.abc, importlib.util, sys

class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name != CHANGE[0]:
            return None
        sys.meta_path.remove(self)
        self.spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        return importlib.util.spec_from_file_location(name, self.spec.origin, loader=self)

    def exec_module(self, module):
        source = self.spec.loader.get_source(module.__name__)
        for old, new in zip(CHANGE[1::2], CHANGE[2::2], strict=True):
            assert old in source
            source = source.replace(old, new)
        exec(compile(source, module.__file__, "exec"), vars(module))

sys.meta_path.insert(0, Changed())
"""


@pytest.mark.parametrize("change", RELEASES.values(), ids=RELEASES)
def test_with_another_release_than_is_known_skops_loads_and_refuses_by_itself(
    files, by_itself, change
):
    release = f"CHANGE = {change!r}\n{ANOTHER_RELEASE}"
    names = ("fine", "tree", "function", "an estimator's class as a value")
    assert outcomes(release + LEAN, files, *names) == [by_itself[name] for name in names]
