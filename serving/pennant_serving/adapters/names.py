"""The adapters that have a name. All others are `module:Class`. Imports nothing."""

from __future__ import annotations

AUTO = "auto"
"""The one that the bundle needs."""
BUILT_IN = {
    "pyfunc": "pennant_serving.adapters.pyfunc:PyfuncAdapter",
    "sklearn": "pennant_serving.adapters.native_sklearn:SklearnAdapter",
    "xgboost": "pennant_serving.adapters.native_xgboost:XGBoostAdapter",
    "lightgbm": "pennant_serving.adapters.native_lightgbm:LightGBMAdapter",
    "onnx": "pennant_serving.adapters.native_onnx:OnnxAdapter",
}
SHARED = frozenset({"sklearn", "xgboost", "lightgbm"})
"""What is loaded once for all workers. A session of onnxruntime has threads of its own, and what a
pyfunc has, nobody knows."""
