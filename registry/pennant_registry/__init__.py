"""The registry library of a training job: register, promote, roll back, load what is in production.

Importing this package imports no mlflow; calling what asks a registry does.
"""

from pennant_registry.errors import RegistryError
from pennant_registry.gates import Gates, MetricMin
from pennant_registry.moves import Move, history
from pennant_registry.production import load_production, resolve
from pennant_registry.promotion import promote, rollback
from pennant_registry.registration import register
from pennant_registry.versions import Version

__all__ = [
    "Gates",
    "MetricMin",
    "Move",
    "RegistryError",
    "Version",
    "history",
    "load_production",
    "promote",
    "register",
    "resolve",
    "rollback",
]
