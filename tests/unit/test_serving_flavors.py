"""Which flavors are served natively, with how many threads, and what a missing library costs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pennant_serving import cpus
from pennant_serving.adapters import loading
from pennant_serving.adapters.lean import imported, without
from pennant_serving.batching import joining
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.codecs import invocations, jsonio
from pennant_serving.errors import InvalidInput
from pennant_serving.failures import PodError, Reason
from pennant_serving.rows import Table
from pennant_testing.serving.adapters import ARRAY, ECHO

pytestmark = pytest.mark.unit

DOUBLE = {"type": "double", "name": "a"}
TEXT = {"type": "string", "name": "a"}
TENSOR = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}


def saved(
    folder: Path, flavor: str, *, inputs: Any = (DOUBLE,), params: Any = (), **fields: Any
) -> Bundle:
    """A bundle's MLmodel, without its model."""
    signature = {"inputs": json.dumps(list(inputs)), "params": json.dumps(list(params))}
    content = {"flavors": {flavor: fields, "python_function": {}}, "signature": signature}
    (folder / "MLmodel").write_text(json.dumps(content))
    return Bundle(folder, read_mlmodel(folder))


@pytest.mark.parametrize(
    ("flavor", "fields"),
    [
        ("xgboost", {"model_class": "xgboost.core.Booster"}),
        ("xgboost", {"model_class": "xgboost.sklearn.XGBClassifier"}),
        ("xgboost", {}),
        ("lightgbm", {"model_class": "lightgbm.sklearn.LGBMRanker"}),
        ("onnx", {}),
    ],
)
@pytest.mark.parametrize("inputs", [[], [DOUBLE], [TENSOR]])
def test_models_of_numbers_are_served_by_the_adapter_of_their_flavor(
    tmp_path, flavor, fields, inputs
):
    assert loading.choose("auto", saved(tmp_path, flavor, inputs=inputs, **fields)).name == flavor


@pytest.mark.parametrize(
    ("flavor", "fields", "because"),
    [
        ("xgboost", {"code": "code"}, "code of its own"),
        ("xgboost", {"model_class": "ours.Booster"}, "a class of its own"),
        ("xgboost", {"inputs": [TEXT]}, "inputs that are no numbers"),
        ("xgboost", {"inputs": [TENSOR, TENSOR]}, "several tensors"),
        ("xgboost", {"params": [{"name": "output_margin"}]}, "has params"),
        ("lightgbm", {"inputs": [TEXT, DOUBLE]}, "inputs that are no numbers"),
        ("onnx", {"inputs": [TEXT]}, "inputs that are no numbers"),
    ],
)
def test_other_models_of_these_flavors_are_left_to_mlflow(tmp_path, flavor, fields, because):
    bundle = saved(tmp_path, flavor, **fields)
    assert loading.choose("auto", bundle).name == "pyfunc"
    with pytest.raises(PodError, match=f"{because}.*: set serving.adapter to pyfunc"):
        loading.load(flavor, bundle)


@pytest.mark.parametrize("adapter", ["auto", "pyfunc"])
@pytest.mark.parametrize(
    ("flavor", "library", "package"),
    [
        ("xgboost", "xgboost", "xgboost==3.2.0"),
        ("lightgbm", "lightgbm", "lightgbm==4.7.0"),
        ("onnx", "onnxruntime", "onnxruntime==1.31.1"),
    ],
)
def test_a_library_that_the_image_lacks_is_named_with_what_to_do(
    tmp_path, monkeypatch, adapter, flavor, library, package
):
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == library else name)
    (tmp_path / "requirements.txt").write_text(f"mlflow\n{package}\n")
    bundle = saved(tmp_path, flavor)
    with pytest.raises(PodError, match="SERVING_LOCK=serving-boosters") as raised:
        loading.load(loading.choose(adapter, bundle).name, bundle)
    assert raised.value.reason is Reason.LOAD_FAILED
    assert f"{library} loads: the bundle's requirements.txt says {package}" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "survives"),
    [
        *(("sklearn", True), ("xgboost", True), ("lightgbm", True), ("onnx", False)),
        *(("pyfunc", False), (ECHO, False)),
        *(
            (ARRAY, True),
            ("nowhere:Class", False),
        ),
    ],
)
def test_only_libraries_of_numbers_and_classes_that_say_so_survive_a_fork(name, survives):
    assert loading.survives_fork(name) == survives


def test_a_library_that_needs_what_is_hidden_is_imported_with_it(tmp_path, monkeypatch):
    """As a release may, from one day to the next."""
    (tmp_path / "needy_library.py").write_text("import graphlib as needed")
    (tmp_path / "modest_library.py").write_text(
        "try:\n    import graphlib as needed\nexcept ImportError:\n    needed = None"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "graphlib", raising=False)
    assert imported("modest_library", "graphlib").needed is None
    assert imported("needy_library", "graphlib").needed.__name__ == "graphlib"
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        imported("no_such_library", "graphlib")


def test_packages_are_hidden_from_imports_and_come_back():
    with without("json", "tkinter_that_nobody_has"), pytest.raises(ModuleNotFoundError):
        import tkinter_that_nobody_has  # noqa: F401
    assert sys.modules["json"] is json
    assert "tkinter_that_nobody_has" not in sys.modules


@pytest.mark.parametrize(
    ("cpu_max", "expected"),
    [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1), ("6400000 100000", 64)],
)
def test_the_processors_are_those_of_the_containers_limit(tmp_path, cpu_max, expected):
    everything = cpus.available(tmp_path)
    (tmp_path / "cpu.max").write_text(f"{cpu_max}\n")
    assert cpus.available(tmp_path) == min(expected or everything, everything)


def test_without_affinities_the_processors_are_those_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cpus.available(tmp_path) == os.cpu_count()


@pytest.mark.parametrize(("quota", "limited"), [("-1", False), ("100000", True)])
def test_the_first_version_of_cgroups_tells_it_too(tmp_path, quota, limited):
    everything = cpus.available(tmp_path)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert cpus.available(tmp_path) == (1 if limited else everything)


def test_a_table_is_written_as_records_and_stays_one_when_it_is_cut_and_put_together():
    table = Table(a=np.array([1.0, 2.0]), b=np.array([3, 4]))
    parts = joining.split(table, [1, 1])
    whole = joining.merge(parts)
    assert isinstance(whole, Table)
    expected = {"predictions": [{"a": 1.0, "b": 3}, {"a": 2.0, "b": 4}]}
    assert json.loads(invocations.encode(whole)) == expected


def test_a_literal_nan_is_read_and_other_bad_json_is_not():
    assert str(jsonio.load_object(b'{"a": [NaN]}')) == "{'a': [nan]}"
    half_a_pair = (rb'{"a": NaN, "b": "\ud800"}', b'{"a": NaN, "b": "\xed\xa0\x80"}')
    for body in (b'{"a": NaN', b"[" * 100_000 + b"NaN", b"nothing", *half_a_pair):
        with pytest.raises(InvalidInput, match="the body is not JSON"):
            jsonio.load_object(body)
