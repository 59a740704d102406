"""Settings of `fetch`, read once from the environment that the operator renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pennant_registry import sources
from pennant_serving.environ import Environ, SettingsError, http_address
from pennant_serving.environment.settings import BundleEnvironment

if TYPE_CHECKING:  # most pods do without
    from pennant_serving.cache.settings import CacheSettings


@dataclass(frozen=True)
class Wanted:
    """The identity of what shall be on the volume."""

    model: str
    version: str
    source: str


@dataclass(frozen=True)
class Credentials:
    """What is sent to the registry, and to nobody else."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    """PEM; `key` is its private key."""
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class HttpProxy:
    """The way to the registry that its administrator configured."""

    host: str  # and port
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FetchSettings:
    """Everything `fetch` needs to know."""

    wanted: Wanted
    model_path: Path
    registry_url: str
    allowed_sources: tuple[str, ...] = sources.DEFAULT_ALLOWED
    registry_ca: Path | None = None
    registry_proxy: HttpProxy | None = None
    credentials: Credentials = Credentials()
    s3_endpoint: str | None = None
    artifacts_path: Path = Path("/mnt/artifacts")
    """Where a claim with artifacts is mounted, if one is."""
    expected_digests: tuple[tuple[str, str], ...] = ()
    """(who says so, hex sha256)"""
    environment: BundleEnvironment | None = None
    """Where the bundle's own packages come from; None when the image's serve it."""
    cache: CacheSettings | None = None
    """What pods share, where they do."""
    patience: float = 30.0
    """Seconds that may go into failed attempts and the waiting between them."""
    silence: float = 600.0
    """Seconds that a server which lives may be without a word: a proxy may fetch first."""

    @property
    def source(self) -> str:
        return self.wanted.source

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> FetchSettings:
        """Raises SettingsError, naming the variable."""
        env = Environ(variables)
        wanted = Wanted(
            model=env.text("PENNANT_MODEL_NAME"),
            version=env.text("PENNANT_MODEL_VERSION"),
            source=env.text("PENNANT_MODEL_SOURCE"),
        )
        registry_url = http_address("PENNANT_REGISTRY_URL", env.text("PENNANT_REGISTRY_URL"))
        return cls(
            wanted=wanted,
            model_path=Path(env.text("PENNANT_MODEL_PATH", "/models/bundle")),
            registry_url=registry_url,
            allowed_sources=sources.listed(
                env.text("PENNANT_ALLOWED_SOURCES", sources.joined(sources.DEFAULT_ALLOWED))
            ),
            registry_ca=env.file("PENNANT_REGISTRY_CA"),
            registry_proxy=_proxy(env),
            credentials=_credentials(env),
            s3_endpoint=_s3_endpoint(env),
            artifacts_path=Path(env.text("PENNANT_ARTIFACTS_PATH", "/mnt/artifacts")),
            expected_digests=_digests(env),
            environment=BundleEnvironment.from_env(env),
            cache=_cache(env, wanted, registry_url),
            patience=env.seconds("PENNANT_FETCH_PATIENCE", 30),
            silence=env.seconds("PENNANT_FETCH_SILENCE", 600),
        )


def _credentials(env: Environ) -> Credentials:
    return Credentials(
        username=env.secret("MLFLOW_TRACKING_USERNAME"),
        password=env.secret("MLFLOW_TRACKING_PASSWORD"),
        token=env.secret("MLFLOW_TRACKING_TOKEN"),
        certificate=env.optional("tls.crt"),  # so named in the Secrets of kubernetes.io/tls
        key=env.optional("tls.key"),
    )


def _cache(env: Environ, wanted: Wanted, registry_url: str) -> CacheSettings | None:
    if env.optional("PENNANT_CACHE_PATH") is None:
        return None
    # Here, because most pods do without.
    from pennant_serving.cache.settings import CacheSettings

    return CacheSettings.from_env(env, registry_url, wanted.model, wanted.version, wanted.source)


def _s3_endpoint(env: Environ) -> str | None:
    """By MLflow's name, or by those of the AWS tools."""
    names = ("MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((value for name in names if (value := env.optional(name))), None)


def _proxy(env: Environ) -> HttpProxy | None:
    url = env.optional("PENNANT_REGISTRY_PROXY")
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or "@" in parts.netloc:
        raise SettingsError(
            f"PENNANT_REGISTRY_PROXY={parts.scheme}://{parts.hostname}... is not an http address"
            " without credentials in it"
        )
    return HttpProxy(parts.netloc, env.secret("PROXY_USERNAME"), env.secret("PROXY_PASSWORD"))


def _digests(env: Environ) -> tuple[tuple[str, str], ...]:
    origins = {
        "PENNANT_MODEL_SHA256": "the version's tag pennant.sha256",
        "PENNANT_PINNED_SHA256": "the digest pinned at this revision's first rollout",
    }
    digests = ((origin, env.optional(variable)) for variable, origin in origins.items())
    return tuple((origin, value.lower()) for origin, value in digests if value)
