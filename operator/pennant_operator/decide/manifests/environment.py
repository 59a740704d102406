"""What a pod needs to install the packages that its bundle asks for (`spec.serving.environment`).

Where they come from is in the ConfigMap beside it, so that another index rolls nothing; whose
credentials are shown there is recorded: a variable cannot name a Secret by a ConfigMap.
"""

from typing import Any

from pennant_operator.decide.manifests.container import env_from_config, env_value
from pennant_operator.decide.seen.environment import INSTALLS, environment_key
from pennant_operator.decide.seen.observed import Images, ModelVersion, PackageIndex
from pennant_operator.decide.seen.spec import BUNDLE, Spec

PINNED = "PENNANT_PINNED_ENVIRONMENT"
# The keys of the Secret.
_CREDENTIALS = {"PENNANT_INDEX_USERNAME": "username", "PENNANT_INDEX_PASSWORD": "password"}


def mode_env(serving: dict[str, Any]) -> list[dict[str, Any]]:
    """The variable of both containers; none where packages are the image's."""
    return [{**INSTALLS}] if serving.get("environment") == BUNDLE else []


def fetch_env(
    spec: Spec, version: ModelVersion, revision: str, images: Images, index: PackageIndex | None
) -> list[dict[str, Any]]:
    """The variables of `fetch`; none where packages are the image's."""
    mode = mode_env(spec.serving)
    if not mode:
        return []
    config, digests = f"{spec.name}-registry", f"{spec.name}-digests"
    secret = index.credentials_secret if index else None
    return [
        *mode,
        env_from_config("PENNANT_INDEX_URL", config, "index-url", optional=True),
        env_from_config("PENNANT_EXTRA_INDEX_URLS", config, "extra-index-urls", optional=True),
        *_known_images(images),
        *(_env_from_secret(name, secret, key) for name, key in _CREDENTIALS.items() if secret),
        _locked(version.environment)
        if version.environment is not None
        else env_from_config(PINNED, digests, environment_key(revision), optional=True),
    ]


def _known_images(images: Images) -> list[dict[str, Any]]:
    """So that a bundle of another Python is refused with the image that has it."""
    listed = ",".join(f"{python}={image}" for python, image in sorted(images.by_python.items()))
    return [env_value("PENNANT_SERVING_IMAGES", listed)] if listed else []


def locked_in(variables: dict[str, str]) -> str | None:
    """The lock in the variables of `fetch`, as the version's tag has it; None where it has none."""
    text = variables.get(PINNED)
    return None if text is None else text.replace("$$", "$")


def _locked(lock: str) -> dict[str, Any]:
    """The kubelet takes $(NAME) for a variable, and $$ for $; pins may hold either."""
    return env_value(PINNED, lock.replace("$", "$$"))


def _env_from_secret(name: str, secret: str, key: str) -> dict[str, Any]:
    source = {"name": secret, "key": key, "optional": True}
    return {"name": name, "valueFrom": {"secretKeyRef": source}}
