"""The registry library of a training job: register, lock, promote, hold, roll back, load what
is served.

Importing this package imports no mlflow; calling what asks a registry does. Each name is imported
when somebody asks for it: pods and the operator need two or three modules of this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pennant_registry.errors import RegistryError
    from pennant_registry.gates import Gates, MetricMin
    from pennant_registry.hold_form import Hold
    from pennant_registry.hold_tags import hold, release
    from pennant_registry.lock_form import EnvironmentLock
    from pennant_registry.locking import lock
    from pennant_registry.moments import Moment, history
    from pennant_registry.moves import Move
    from pennant_registry.production import load_production, resolve
    from pennant_registry.promotion import promote, rollback
    from pennant_registry.registration import register
    from pennant_registry.versions import Version

__all__ = [
    "EnvironmentLock",
    "Gates",
    "Hold",
    "MetricMin",
    "Moment",
    "Move",
    "RegistryError",
    "Version",
    "history",
    "hold",
    "load_production",
    "lock",
    "promote",
    "register",
    "release",
    "resolve",
    "rollback",
]
_MODULES = {
    **dict.fromkeys(("Gates", "MetricMin"), "gates"),
    **dict.fromkeys(("Moment", "history"), "moments"),
    "Move": "moves",
    **dict.fromkeys(("load_production", "resolve"), "production"),
    **dict.fromkeys(("promote", "rollback"), "promotion"),
    "EnvironmentLock": "lock_form",
    "Hold": "hold_form",
    **dict.fromkeys(("hold", "release"), "hold_tags"),
    "RegistryError": "errors",
    "lock": "locking",
    "Version": "versions",
    "register": "registration",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
