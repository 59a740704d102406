"""Bundles that are no good, for showing what happens then, as it goes wrong in life.

One cannot be loaded: a notebook's helper module is pickled by reference, and the image that serves
the model does not hold it. The other loads, and fails for a third of its readers: what they read
was taken from another run than the articles.
"""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeAlias

from newsreco import bundle as bundles
from newsreco.bundle import Bundle

Broken: TypeAlias = Literal["load", "answers"]  # what does not go well

MODULE = "newsreco_features_v9"


def save(bundle: Bundle, path: Path, kind: Broken) -> None:
    """Pickles a bundle that cannot be loaded, or one that loads and fails in its answers."""
    if kind == "answers":
        bundles.save(_fails_for_a_third(bundle), path)
    else:
        _save_unloadable(bundle, path)


def _fails_for_a_third(bundle: Bundle) -> Bundle:
    """The first reader, by which a model is tested as it loads, is none of them."""
    model = bundle["recommender"]
    nowhere = len(model.articles)
    histories = {
        user: (*read, nowhere) if place % 3 == 2 else read
        for place, (user, read) in enumerate(model.histories.items())
    }
    return {**bundle, "recommender": replace(model, histories=histories)}


def _save_unloadable(bundle: Bundle, path: Path) -> None:
    """With one more object in it, whose class is in a module that is nowhere."""
    module = ModuleType(MODULE)
    features = type("Features", (), {"__module__": MODULE})
    module.__dict__["Features"] = features
    sys.modules[MODULE] = module  # pickle looks a class up by its module's name
    try:
        path.write_bytes(pickle.dumps({**bundle, "features": features()}, protocol=5))
    finally:
        del sys.modules[MODULE]
