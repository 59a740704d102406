"""A bundle that cannot be loaded, for showing what happens then: it needs a module nobody has.

This is how it goes wrong in life: a notebook's helper module is pickled by reference, and the image
that serves the model does not hold it.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType

from newsreco.bundle import Bundle

MODULE = "newsreco_features_v9"


def save(bundle: Bundle, path: Path) -> None:
    """Pickles the bundle with one more object in it, whose class is in a module that is nowhere."""
    module = ModuleType(MODULE)
    features = type("Features", (), {"__module__": MODULE})
    module.__dict__["Features"] = features
    sys.modules[MODULE] = module  # pickle looks a class up by its module's name
    try:
        path.write_bytes(pickle.dumps({**bundle, "features": features()}, protocol=5))
    finally:
        del sys.modules[MODULE]
