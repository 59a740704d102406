"""Settings of the server, read once from the environment that the operator renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pennant_serving.environ import Environ, SettingsError

BUILT_IN_ADAPTERS = ("auto", "pyfunc", "sklearn")
SELF_TESTS = ("IfPresent", "Required", "Off")


@dataclass(frozen=True)
class Settings:
    """Everything `serve` needs to know."""

    model: str
    version: str
    model_path: Path = Path("/models/bundle")
    adapter: str = "auto"
    """`auto`, `pyfunc`, `sklearn`, or `module:Class`."""
    self_test: str = "IfPresent"
    port: int = 8080
    max_connection_age: float = 2.0
    """Seconds after which a connection is ended by its next response."""
    drain_seconds: float = 20.0
    """Seconds from SIGTERM to the end of the process, at most."""
    deployment: str = ""
    revision: str = ""
    """Whose pod this is; for the log."""

    def __str__(self) -> str:
        owner = f" for {self.deployment}, revision {self.revision}" if self.deployment else ""
        return f"{self.model} version {self.version}{owner}, port {self.port}"

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Settings:
        """Raises SettingsError, naming the variable and its value."""
        env = Environ(variables)
        return cls(
            model=env.text("PENNANT_MODEL_NAME"),
            version=env.text("PENNANT_MODEL_VERSION"),
            model_path=Path(env.text("PENNANT_MODEL_PATH", "/models/bundle")),
            deployment=env.optional("PENNANT_DEPLOYMENT") or "",
            revision=env.optional("PENNANT_REVISION") or "",
            adapter=_adapter(env),
            self_test=env.choice("PENNANT_SELF_TEST", "IfPresent", SELF_TESTS),
            port=env.integer("PENNANT_PORT", 8080, low=1, high=65535),
            max_connection_age=env.seconds("PENNANT_MAX_CONNECTION_AGE", 2),
            drain_seconds=env.seconds("PENNANT_DRAIN_SECONDS", 20),
        )


def _adapter(env: Environ) -> str:
    value = env.text("PENNANT_ADAPTER", "auto")
    module, colon, name = value.partition(":")
    if value in BUILT_IN_ADAPTERS or (colon and module and name.isidentifier()):
        return value
    names = ", ".join(BUILT_IN_ADAPTERS)
    raise SettingsError(f"PENNANT_ADAPTER={value!r} is none of {names}, and not module:Class")
