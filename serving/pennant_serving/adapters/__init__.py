"""Adapters: what knows a kind of bundle, loads it and answers rows.

`names` has those that have a name, `loading` says which one a bundle needs and loads it, `base` is
what each of them is; `native_sklearn`, `native_xgboost`, `native_lightgbm` and `native_onnx` do
without MLflow, and `pyfunc` does it all with MLflow.
"""
