"""Why a bundle did not load, in one sentence that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

from pennant_serving.bundle import Bundle


def explain(adapter: str, bundle: Bundle, error: Exception) -> str:
    """What went wrong, and what the bundle says it needs."""
    said = f"adapter {adapter} could not load the bundle: {type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        needs = _requirement(bundle.path, error.name.partition(".")[0])
        return f"{said}: {needs}this image lacks it; set serving.image to one that has it"
    if versions := _trained_with(bundle):
        return f"{said} ({versions})"
    return said


def lacking(library: str, bundle: Bundle) -> str:
    """What to do about a flavor whose library the image does not have."""
    needs = _requirement(bundle.path, library)
    return (
        f"the bundle is an MLflow model that {library} loads: {needs}this image lacks it; set"
        " serving.image to one that has it, such as pennant-serving built with"
        " SERVING_LOCK=serving-boosters"
    )


def _requirement(folder: Path, module: str) -> str:
    """The line of the bundle's requirements.txt about a package, if the names agree."""
    path = folder / "requirements.txt"
    wanted = _normal(module)
    lines = path.read_text().splitlines() if path.is_file() else []
    for line in lines:
        if _normal(re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0]) == wanted:
            return f"the bundle's requirements.txt says {line.strip()}, and "
    return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _trained_with(bundle: Bundle) -> str:
    if bundle.mlmodel is None or "sklearn" not in bundle.mlmodel.flavors:
        return ""
    from importlib.metadata import version

    trained = bundle.mlmodel.flavors["sklearn"].get("sklearn_version")
    here = f"this image has {version('scikit-learn')}"
    if trained is None:
        return f"its MLmodel does not say what version of scikit-learn it was trained with, {here}"
    return f"trained with scikit-learn {trained}, {here}"
