"""One row in this process: our adapter and MLflow's pyfunc, by flavor. Writes a table into docs/.

PYTHONPATH=tests/support:dev python -m bench.flavors
"""

from __future__ import annotations

import re
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mlflow.pyfunc import load_model

from pennant_serving.adapters import loading
from pennant_serving.batching import joining
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_testing.serving.flavor_models import save_model

PAGE = Path(__file__).parents[1] / "docs" / "serving.md"
MARKED = re.compile(r"(<!-- measured: flavors -->\n).*(<!-- end of measured -->)", re.DOTALL)
MODELS = {
    "xgboost booster": ("xgboost-cpu", "XGBoost `Booster`"),
    "xgboost classifier": ("xgboost-cpu", "XGBoost `XGBClassifier`"),
    "lightgbm booster": ("lightgbm", "LightGBM `Booster`"),
    "lightgbm classifier": ("lightgbm", "LightGBM `LGBMClassifier`"),
    "onnx": ("onnxruntime", "ONNX, one tensor"),
    "onnx, columns": ("onnxruntime", "ONNX, columns"),
    "onnx of two inputs, columns": ("onnxruntime", "ONNX, several inputs"),
}
HEAD = "| model | adapter | tested with | fast lane | one row, us | by pyfunc, us |\n"
WARM_UP, RUNS = 20, 300


def main() -> None:
    """Measure all, and put the table into the page."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [_row(name, Path(folder) / str(place)) for place, name in enumerate(MODELS)]
    table = HEAD + "|---|---|---|---|---|---|\n" + "".join(rows)
    print(table)
    PAGE.write_text(MARKED.sub(rf"\1{table}\2", PAGE.read_text()))


def _row(name: str, path: Path) -> str:
    package, label = MODELS[name]
    bundle = Bundle(save_model(name, path), read_mlmodel(path))
    chosen = loading.choose("auto", bundle).name
    adapter: Any = loading.load(chosen, bundle).adapter
    pyfunc: Any = load_model(str(path))
    ours, theirs = _questions(adapter, pyfunc)
    lane = "yes" if getattr(adapter, "array_spec", None) else "no"
    versions = f"{package} {version(package)}"
    return f"| {label} | `{chosen}` | {versions} | {lane} | {_time(ours)} | {_time(theirs)} |\n"


def _questions(adapter: Any, pyfunc: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """One row, in the form that each is given by its server."""
    example = pyfunc.input_example
    one = example[:1]
    first = joining.part(adapter.input_example, 0, 1)
    if getattr(adapter, "array_spec", None) is None:
        return lambda: adapter.predict(first), lambda: pyfunc.predict(one)
    return lambda: adapter.predict_array(first.data), lambda: pyfunc.predict(one)


def _time(function: Callable[[], Any]) -> int:
    """Microseconds of the best run: the others are what else the machine did."""
    for _ in range(WARM_UP):
        function()
    durations = []
    for _ in range(RUNS):
        started = time.perf_counter()
        function()
        durations.append(time.perf_counter() - started)
    return round(min(durations) * 1e6)


if __name__ == "__main__":
    main()
