"""Why a bundle did not load, in one sentence that says what to do."""

from __future__ import annotations

from pennant_serving.adapters.flavors import NotNative
from pennant_serving.adapters.versions import mismatch, normal, requirement
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.failures import PodError, Reason


def explain(adapter: str, bundle: Bundle, error: Exception) -> str:
    """What went wrong, and what the bundle says it needs; another release of the library first."""
    what = str(error) if isinstance(error, NotNative) else f"{type(error).__name__}: {error}"
    message = f"adapter {adapter} could not load the bundle: {what}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        needs = _requirement(bundle, error.name.partition(".")[0])
        message = f"{message}: {needs}this image lacks it; set serving.image to one that has it"
    elif not isinstance(error, NotNative):
        message += _of_unknown_release(bundle)
    return mismatch_first(bundle, message)


def mismatch_first(bundle: Bundle, message: str) -> str:
    """The same, after what is most likely its cause."""
    other = mismatch(bundle)
    return f"the bundle was {other}: {other.remedy}; {message}" if other else message


def untried(bundle: Bundle) -> PodError | None:
    """The error for a model that was saved with another release of its library and has predicted
    nothing; None when it was not."""
    other = mismatch(bundle)
    if other is None:
        return None
    message = (
        f"the bundle was {other}, and nothing shows that it still answers, because it was not asked"
        f" to predict its input example: log the model with one, and serving.selfTest not Off, or"
        f" {other.remedy}"
    )
    return PodError(Reason.LOAD_FAILED, message)


def lacking(library: str, bundle: Bundle) -> str:
    """What to do about a flavor whose library the image does not have."""
    needs = _requirement(bundle, library)
    return (
        f"the bundle is an MLflow model that {library} loads: {needs}this image lacks it; set"
        " serving.image to one that has it, such as pennant-serving built with"
        " SERVING_LOCK=serving-boosters"
    )


def _requirement(bundle: Bundle, module: str) -> str:
    """What requirements.txt says about a package, if the names agree."""
    line = requirement(bundle.path, normal(module))
    return f"the bundle's requirements.txt says {line}, and " if line else ""


def _of_unknown_release(bundle: Bundle) -> str:
    """That there is no telling whether the release is the cause; empty where there is."""
    flavor = bundle.mlmodel.flavors.get("sklearn") if bundle.mlmodel else None
    if flavor is None or flavor.get("sklearn_version"):
        return ""
    from importlib.metadata import version

    untold = "its MLmodel does not say what version of scikit-learn it was trained with"
    return f" ({untold}, this image has {version('scikit-learn')})"
