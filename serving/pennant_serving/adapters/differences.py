"""What a bundle asks for and this image has otherwise: Python, its flavor's library, then the rest.

Releases differ by their major or minor number. Only what names a package is compared, by the one
version that it wants; what leaves a choice must be there. It is asked before every start, so files'
names are read, and no library that is dear to import.
"""

from __future__ import annotations

import platform

from pennant_serving.adapters.versions import (
    ALTERNATIVES,
    Mismatch,
    differ,
    installed,
    mismatch,
    normal,
    requirements,
)
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.failures import PodError, Reason

SHOWN_DIFFERENCES = 10


def checked(bundle: Bundle, check: str) -> str:
    """The differences in a sentence; empty when there are none, or nobody asks.

    Raises PodError when there are some and `check` is Strict.
    """
    found = differences(bundle) if check != "Off" else []
    if not found:
        return ""
    text = _listed(found)
    if check == "Strict":
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"the bundle asks for {text}: set serving.image to one that has these, or save the"
            " model again with this image's, or set environmentCheck to Warn",
        )
    print(f"EnvironmentDiffers: the bundle asks for {text}", flush=True)
    return text


def differences(bundle: Bundle) -> list[Mismatch]:
    """The weightiest first; empty when there are none, or the bundle asks for nothing."""
    found = [each for each in (_python(bundle), mismatch(bundle)) if each is not None]
    known = {normal(name) for each in found for name in _names(each.library)}
    for name, saved in requirements(bundle.path):
        if name not in known:
            known.add(name)
            here = next(filter(None, map(installed, _names(name))), "")
            if not here or (saved and differ(saved, here)):
                found.append(Mismatch(name, saved, here))
    return found


def _python(bundle: Bundle) -> Mismatch | None:
    """MLflow writes it into the flavor that every model of its own has."""
    flavors = bundle.mlmodel.flavors if bundle.mlmodel else {}
    saved = str((flavors.get("python_function") or {}).get("python_version") or "")
    here = platform.python_version()
    return Mismatch("python", saved, here) if saved and differ(saved, here) else None


def _names(package: str) -> tuple[str, ...]:
    return next((names for names in ALTERNATIVES if package in names), (package,))


def _listed(found: list[Mismatch]) -> str:
    shown = [
        f"{each.library} {each.saved}".rstrip() + f" (here {each.here or 'it is not'})"
        for each in found[:SHOWN_DIFFERENCES]
    ]
    more = len(found) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])])
