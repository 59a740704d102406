"""Settings of the server, read once from the environment that the operator renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pennant_serving import cpus
from pennant_serving.adapters import names
from pennant_serving.batching.policy import AUTO, MODES, BatchLimits
from pennant_serving.environ import Environ, SettingsError

ADAPTERS = (names.AUTO, *names.BUILT_IN)
"""Those that have a name."""
THREADS = "OMP_NUM_THREADS"
"""What libraries of linear algebra and of trees go by."""
SELF_TESTS = ("IfPresent", "Required", "Off")
ENVIRONMENT_CHECKS = ("Warn", "Strict", "Off")


@dataclass(frozen=True)
class Settings:
    """Everything `serve` needs to know."""

    model: str
    version: str
    model_path: Path = Path("/models/bundle")
    adapter: str = names.AUTO
    """One of ADAPTERS, or `module:Class`."""
    self_test: str = "IfPresent"
    environment_check: str = "Warn"
    """What to do where the bundle asks for another environment than there is."""
    port: int = 8080
    grpc_port: int = 9000
    """0 means no gRPC."""
    listener_fd: int = 0
    """The file descriptor of a socket that listens already, which others may share; 0 is none."""
    max_connection_age: float = 2.0
    """Seconds after which a connection is ended by its next response."""
    drain_seconds: float = 20.0
    """Seconds from SIGTERM to the end of the process, at most."""
    workers: int = 1
    """Processes that share the port, and the loaded model where it survives a fork."""
    omp_threads: int = 0
    """OpenMP's own setting; 0 when it has none."""
    batch_max_rows: int = 1024
    """Rows that are predicted together, at most; 1 switches that off."""
    batch_max_delay: float = 0.0
    """Seconds that a request waits for others on an idle server."""
    batch_mode: str = AUTO
    """Who says that requests may be predicted together: one of MODES."""
    request_timeout: float = 30.0
    """Seconds from a request's arrival to its answer, and for its bytes to arrive."""
    access_log: bool = False
    payload_log_ratio: float = 0.0
    """The share of requests whose inputs and outputs are logged; 0 is none."""
    payload_log_redact: tuple[str, ...] = ()
    """Inputs and outputs whose values are left out of that log."""
    traces_endpoint: str = ""
    """The address of an OTLP/HTTP collector; empty means no traces."""
    traces_ratio: float = 0.01
    """The share of requests with a span, among those whose caller has not decided."""
    rehearsal_requests: int = 0
    """That a version answers before it is ready, at most; 0 is none."""
    rehearsal_errors: float = 0.0
    """The share of them that may fail."""
    rehearsal_slower: float = 3.0
    """So many times as long as before a request may not take."""
    rehearsal_agreement: float = 0.0
    """The share of answers that must be as before."""
    rehearsal_address: str = ""
    """Host and port of what serves."""
    rehearsal_token: str = field(default="", repr=False)
    """Opens the requests of this ModelDeployment's pods to each other."""
    had_traffic: bool = False
    """This revision did; then it rehearses nothing."""
    traffic_file: str = ""
    """Says which share of the predictions another version answers; empty: none ever does."""
    environment: str = ""
    """The digest of the bundle's own packages; empty where the image's serve it."""
    deployment: str = ""
    revision: str = ""
    """Whose pod this is; for the log."""

    @property
    def limits(self) -> BatchLimits:
        """How requests are put together."""
        timeout = self.request_timeout
        return BatchLimits(self.batch_max_rows, self.batch_max_delay, timeout, self.batch_mode)

    @property
    def remembers(self) -> bool:
        """Whether the newest requests stay in memory, for the version that comes next."""
        return bool(self.rehearsal_requests and self.rehearsal_token)

    @property
    def threads(self) -> int:
        """That a library may use for one prediction: this worker's share of the processors."""
        return self.omp_threads or max(1, cpus.available() // self.workers)

    def __str__(self) -> str:
        owner = f" for {self.deployment}, revision {self.revision}" if self.deployment else ""
        return f"{self.model} version {self.version}{owner}, port {self.port}"

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """The headers that every response carries, with names as a header's value can hold them."""
        facts = (("x-pennant-model", self.model), ("x-pennant-version", self.version))
        return tuple((name, _ascii(value)) for name, value in facts)

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
            environment_check=env.choice("PENNANT_ENVIRONMENT_CHECK", "Warn", ENVIRONMENT_CHECKS),
            port=env.integer("PENNANT_PORT", 8080, low=1, high=65535),
            grpc_port=env.integer("PENNANT_GRPC_PORT", 9000, low=0, high=65535),
            listener_fd=env.integer("PENNANT_LISTENER_FD", 0, low=0, high=65535),
            max_connection_age=env.seconds("PENNANT_MAX_CONNECTION_AGE", 2),
            drain_seconds=env.seconds("PENNANT_DRAIN_SECONDS", 20),
            workers=_workers(env),
            omp_threads=_omp_threads(env),
            batch_max_rows=env.integer("PENNANT_BATCH_MAX_ROWS", 1024, low=1, high=65536),
            batch_max_delay=env.number("PENNANT_BATCH_MAX_DELAY", 0, high=1),
            batch_mode=env.choice("PENNANT_BATCH_MODE", AUTO, MODES),
            request_timeout=env.seconds("PENNANT_REQUEST_TIMEOUT", 30),
            access_log=env.choice("PENNANT_ACCESS_LOG", "false", ("true", "false")) == "true",
            payload_log_ratio=env.ratio("PENNANT_PAYLOAD_LOG_RATIO", 0),
            payload_log_redact=env.names("PENNANT_PAYLOAD_LOG_REDACT"),
            traces_endpoint=_collector(env),
            traces_ratio=env.ratio("PENNANT_TRACES_RATIO", 0.01),
            rehearsal_requests=env.integer("PENNANT_REHEARSAL_REQUESTS", 0, low=0, high=1000),
            rehearsal_errors=env.number("PENNANT_REHEARSAL_ERRORS", 0, high=1),
            rehearsal_slower=env.number("PENNANT_REHEARSAL_SLOWER", 3, high=1000),
            rehearsal_agreement=env.number("PENNANT_REHEARSAL_AGREEMENT", 0, high=1),
            rehearsal_address=env.optional("PENNANT_REHEARSAL_ADDRESS") or "",
            rehearsal_token=env.optional("PENNANT_REHEARSAL_TOKEN") or "",
            traffic_file=env.optional("PENNANT_TRAFFIC_FILE") or "",
            had_traffic=env.optional("PENNANT_HAD_TRAFFIC") is not None,
        )


def _workers(env: Environ) -> int:
    workers = env.integer("PENNANT_WORKERS", 1, low=1, high=32)
    if workers > 1 and (given := env.optional("PENNANT_LISTENER_FD")):
        raise SettingsError(
            f"PENNANT_WORKERS={workers} does not go with PENNANT_LISTENER_FD={given}: a server that"
            " is given its socket is one process; unset one of the two"
        )
    return workers


def _omp_threads(env: Environ) -> int:
    """Libraries read it, too, and pass over what they do not understand."""
    first = (env.optional(THREADS) or "").partition(",")[0].strip()
    return int(first) if first.isdigit() else 0


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _collector(env: Environ) -> str:
    url = env.optional("PENNANT_TRACES_ENDPOINT")
    if url is None:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:  # a port that is none, or half an IPv6 address
        usable = False
    if not usable or set(url) & set("@?#"):
        shown = url.rpartition("@")[2]
        raise SettingsError(
            f"PENNANT_TRACES_ENDPOINT={shown!r} is not an http or https address without user, query"
            " or fragment: set that of an OTLP/HTTP collector, such as http://otel-collector:4318"
        )
    return url


def _adapter(env: Environ) -> str:
    value = env.text("PENNANT_ADAPTER", names.AUTO)
    module, colon, class_name = value.partition(":")
    if value in ADAPTERS or (colon and module and class_name.isidentifier()):
        return value
    known = ", ".join(ADAPTERS)
    raise SettingsError(f"PENNANT_ADAPTER={value!r} is none of {known}, and not module:Class")
