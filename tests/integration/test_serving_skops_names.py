"""Of scikit-learn, what skops trusts and loads is trusted and loaded, without the rest of it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from skops.io import dump, get_untrusted_types

from pennant_testing.serving import every_estimator
from pennant_testing.serving.skops_processes import ITSELF, LEAN, answer_of

pytestmark = pytest.mark.integration


def every_name() -> set[tuple[str, str]]:
    """All classes of scikit-learn and all ufuncs of numpy and scipy, by every name they have."""
    from sklearn.utils import all_estimators

    all_estimators()  # imports everything
    names: set[tuple[str, str]] = set()
    for module, loaded in list(sys.modules.items()):
        if module.partition(".")[0] in ("sklearn", "scipy", "numpy") and loaded is not None:
            for name, value in list(vars(loaded).items()):
                if isinstance(value, type | np.ufunc):
                    names.add((module, name))
                    names.add((module, value.__name__))
                    names.add((str(getattr(value, "__module__", module)), value.__name__))
    return names


def test_of_all_names_those_are_trusted_that_skops_trusts_and_no_other(tmp_path):
    """In the same lists, so at the same places of a file."""
    path = tmp_path / "names.json"
    path.write_text(json.dumps(sorted(every_name())))
    lists = "SKLEARN_ESTIMATOR_TYPE_NAMES SCIPY_UFUNC_TYPE_NAMES NUMPY_UFUNC_TYPE_NAMES"
    listing = f"""
import json, sys
from pathlib import Path
from skops.io import _general
print(json.dumps([sorted(set(vars(_general)[name])) for name in {lists.split()}]))
"""
    add = """
import json, sys
from pathlib import Path
from pennant_serving.adapters.skops_file import without_search
without_search().add(map(tuple, json.loads(Path(sys.argv[1]).read_text())))
"""
    ours, theirs = answer_of(LEAN + add + listing, path), answer_of(ITSELF + listing)
    assert [len(each) > 50 for each in theirs] == [True] * 3
    assert ours == theirs


def test_every_estimator_is_loaded_and_answers_as_it_was_dumped(tmp_path):
    """Those that skops can load at all, with what it asks to be trusted."""
    expected, files = {}, []
    for name, model in every_estimator.fitted():
        path = tmp_path / f"{name}.skops"
        try:
            dump(model, path)
            files.append((str(path), get_untrusted_types(file=path)))
        except Exception:  # noqa: BLE001 - skops cannot
            continue
        expected[name] = every_estimator.answers(model)
    (tmp_path / "files.json").write_text(json.dumps(files))
    ask = """
import json, sys
from pathlib import Path
from pennant_testing.serving import every_estimator
found = {}
for path, trusted in json.loads(Path(sys.argv[1]).read_text()):
    try:
        found[Path(path).stem] = every_estimator.answers(load(Path(path), trusted))
    except Exception as error:
        found[Path(path).stem] = repr(error)
print(json.dumps(found))
"""
    ours, theirs = (answer_of(by + ask, tmp_path / "files.json") for by in (LEAN, ITSELF))
    assert len(expected) > 170
    assert [name for name in theirs if ours[name] != theirs[name]] == []
    assert sum(str(ours[name]) == str(expected[name]) for name in expected) > 170
