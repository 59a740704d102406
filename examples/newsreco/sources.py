"""Where the API's model comes from: the registry's production, the local pickle, a fresh one."""

from __future__ import annotations

import logging

from newsreco import bundle, registry, train
from newsreco.bundle import Bundle
from newsreco.config import Config
from pennant_registry import RegistryError

logger = logging.getLogger(__name__)


def load(cfg: Config, *, use_registry: bool) -> tuple[Bundle, str]:
    """The first source that has a model, and that source's name."""
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
