"""MLflow's objects as the operator understands them; JSON of another shape is trouble."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from pennant_operator.observe.trouble import RegistryTroubleError

Found: TypeAlias = dict[str, Any]  # MLflow's model_version object


@dataclass(frozen=True)
class Registered:
    """A registered model: where its aliases point, and the highest version in each stage."""

    created: int
    updated: int  # moves with versions and stages, not with aliases
    aliases: dict[str, str]
    stages: dict[str, str]


def registered(model: dict[str, Any]) -> Registered:
    """MLflow's registered_model object."""
    latest = model.get("latest_versions", ())
    return Registered(
        created=int(model["creation_timestamp"]),
        updated=int(model.get("last_updated_timestamp", 0)),
        aliases={a["alias"]: str(a["version"]) for a in model.get("aliases", ())},
        stages={v.get("current_stage", ""): str(v["version"]) for v in latest},
    )


def version(found: dict[str, Any]) -> Found:
    """MLflow's model_version object, if it is one."""
    int(found["creation_timestamp"]), found["name"], int(found["version"])
    return found


@contextmanager
def understood() -> Iterator[None]:
    """JSON of another shape than MLflow's is no answer; it must not end the operator either."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RegistryTroubleError(
            f"MLflow's answer is not what the operator knows ({error!r}): see that spec.url is "
            "MLflow's own address, and which version it is."
        ) from error
