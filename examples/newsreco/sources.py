"""Where the API's model comes from: the registry's production, the local pickle, a fresh one.

In a pod of Pennant's it is the mounted bundle and nothing else.
"""

from __future__ import annotations

import logging
from typing import cast

from newsreco import bundle, registry, train
from newsreco.bundle import Bundle
from newsreco.config import Config
from pennant_registry import RegistryError

logger = logging.getLogger(__name__)


def load(cfg: Config, *, use_registry: bool) -> tuple[Bundle, str]:
    """The first source that has a model, and that source's name.

    With a mount a failure is raised: a pod that is for version 8 must not answer with another one.
    """
    if cfg.mount is not None:
        return cast("Bundle", registry.load_production()), "mount"
    if use_registry and (model := _production()) is not None:
        return model, "registry"
    if cfg.model_file is not None and cfg.model_file.is_file():
        return bundle.load(cfg.model_file), "local pickle"
    return train.fit(cfg).bundle, "fresh training"


def _production() -> Bundle | None:
    """An API that is up with an older model is worth more than one that is down, but says so."""
    try:
        model = registry.load_production()
    except RegistryError as error:
        # The sentence says what to do; a traceback would hide it.
        logger.error(  # noqa: TRY400
            "THE REGISTRY GAVE NO MODEL, GOING ON WITH THE NEXT SOURCE: %s", error
        )
        return None
    if model is None:
        logger.warning("nothing holds alias %s: going on with the next source", registry.ALIAS)
    return model
