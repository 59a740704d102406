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
    entries = differences(bundle) if check != "Off" else []
    if not entries:
        return ""
    text = _listed(entries)
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
    entries = [each for each in (_python(bundle), mismatch(bundle)) if each is not None]
    known = {normal(name) for each in entries for name in _names(each.library)}
    for name, saved in requirements(bundle.path):
        if name not in known:
            known.add(name)
            here = next(filter(None, map(installed, _names(name))), "")
            if not here or (saved and differ(saved, here)):
                entries.append(Mismatch(name, saved, here))
    return entries


def _python(bundle: Bundle) -> Mismatch | None:
    """MLflow writes it into the flavor that every model of its own has."""
    flavor = bundle.mlmodel.flavors.get("python_function") if bundle.mlmodel else None
    saved = str(flavor.get("python_version") or "") if isinstance(flavor, dict) else ""
    here = platform.python_version()
    return Mismatch("python", saved, here) if saved and differ(saved, here) else None


def _names(package: str) -> tuple[str, ...]:
    return next((names for names in ALTERNATIVES if package in names), (package,))


def _listed(entries: list[Mismatch]) -> str:
    shown = [
        f"{each.library} {each.saved}".rstrip() + f" (here {each.here or 'it is not'})"
        for each in entries[:SHOWN_DIFFERENCES]
    ]
    more = len(entries) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])])
