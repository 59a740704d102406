"""Which flavors are served natively, and which of their models. Pure, but for reading MLmodel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pennant_serving.bundle.mlmodel import MLmodel, read_mlmodel

LIBRARIES = {"xgboost": "xgboost", "lightgbm": "lightgbm", "onnx": "onnxruntime"}
"""What must be importable to serve a flavor, beside what every serving image has."""
NATIVE = ("sklearn", *LIBRARIES)
XGBOOST_BOOSTER = "xgboost.core.Booster"
LIGHTGBM_BOOSTER = "lightgbm.basic.Booster"


class NotNative(ValueError):  # noqa: N818
    """MLflow can serve this model, and an adapter without it cannot. Says why in a few words."""

    def __str__(self) -> str:
        return f"{super().__str__()}: set serving.adapter to pyfunc"

    @property
    def reason(self) -> str:
        return super().__str__()


def native(mlmodel: MLmodel) -> tuple[str | None, str]:
    """The flavor that is served without MLflow, None when MLflow must serve the model; and why."""
    for name in NATIVE:
        if name in mlmodel.flavors:
            if reason := why_not(name, mlmodel):
                return None, reason
            return name, f"the bundle has the {name} flavor"
    return None, "the bundle has none of the flavors that are served natively"


def needed_library(mlmodel: MLmodel) -> str | None:
    """The library that loads the model, natively or by MLflow; None when all images have it."""
    return next((lib for name, lib in LIBRARIES.items() if name in mlmodel.flavors), None)


def native_flavor(bundle: Path, name: str) -> tuple[MLmodel, dict[str, Any]]:
    """What the bundle says about a flavor. Raises ValueError when it cannot be served natively."""
    mlmodel = read_mlmodel(bundle)
    if mlmodel is None or name not in mlmodel.flavors:
        raise ValueError(f"the bundle is no MLflow model with the {name} flavor")
    if reason := why_not(name, mlmodel):
        raise NotNative(reason)
    return mlmodel, mlmodel.flavors[name]


def why_not(name: str, mlmodel: MLmodel) -> str:
    """Why only MLflow can serve this model as it says; empty when the adapter can, too."""
    flavor = mlmodel.flavors[name]
    kind = flavor.get("model_class", name)
    if flavor.get("code") or mlmodel.flavors.get("python_function", {}).get("code"):
        return "the bundle brings code of its own"
    if name == "sklearn":
        return _why_not_sklearn(flavor)
    if not kind.startswith(name):
        return f"the model is a {kind}, a class of its own"
    if not mlmodel.takes_numbers:
        return "the signature has inputs that are no numbers"
    if name == "onnx":
        return ""
    if len(mlmodel.tensors) > 1:
        return "the signature has several tensors"
    return "the signature has params" if name == "xgboost" and mlmodel.params else ""


def _why_not_sklearn(flavor: dict[str, Any]) -> str:
    format_ = flavor.get("serialization_format", "pickle")
    known = format_ in ("pickle", "cloudpickle", "skops")
    return "" if known else f"its serialization format is {format_}"
