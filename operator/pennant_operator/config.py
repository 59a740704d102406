"""The operator's configuration: read once from the environment, frozen, handed on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pennant_operator.decide.lease import Timing
from pennant_operator.decide.seen.observed import POD_FS_GROUP

LOG_FORMATS = ("text", "json")
SWITCH = ("true", "false")
DECISIONS = ("off", "brief", "full")
LOG_LEVELS = ("debug", "info", "warning", "error")
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class ConfigError(ValueError):
    """A variable that cannot be used; the message names it, its value and what to set."""


@dataclass(frozen=True)
class Config:
    """Everything a person can set about the operator, one environment variable a field."""

    namespace: str
    """PENNANT_NAMESPACE: the operator's own namespace, where ModelRegistries and their Secrets are
    read. Default: the namespace of the pod's service account."""
    fetch_image: str
    """PENNANT_FETCH_IMAGE: image of every pod's `fetch` container. Required."""
    serving_image: str
    """PENNANT_SERVING_IMAGE: image of `serve` where spec.serving.image is absent. Default: the
    fetch image."""
    serving_images: Mapping[str, str] = field(default_factory=dict)
    """PENNANT_SERVING_IMAGES: images of `fetch` and `serve` by their Python, for
    spec.serving.python, such as `3.11=serving:1-py3.11,3.12=serving:1`. Default: none."""
    watch_namespaces: tuple[str, ...] = ()
    """PENNANT_WATCH_NAMESPACES: namespaces to look for ModelDeployments in, separated by commas.
    Default: all."""
    pod_fs_group: int | None = POD_FS_GROUP
    """PENNANT_POD_FS_GROUP: the group that owns the volumes of model pods, or `none` where the
    cluster chooses one, as OpenShift's restricted-v2 does. For pods of revisions to come."""
    actors_checked: bool = False
    """PENNANT_ACTORS_CHECKED: true where the API server holds spec.actor of RolloutActions to the
    user who creates them, as the actor policy does; then messages say who it was."""
    http_host: str = "0.0.0.0"  # noqa: S104 - the kubelet's probes and Prometheus come from outside
    """PENNANT_HTTP_HOST: address of the HTTP server."""
    http_port: int = 8081
    """PENNANT_HTTP_PORT: port of /healthz, /readyz and /metrics; 0 takes a free one."""
    webhook_port: int = 8082
    """PENNANT_WEBHOOK_PORT: port of /hooks/<registry>, at the same address; 0 takes a free one."""
    pod_ip: str = ""
    """PENNANT_POD_IP: where other replicas reach this one, to hand webhooks on while it leads.
    Default: they cannot."""
    workers: int = 16
    """PENNANT_WORKERS: ModelDeployments reconciled at the same time."""
    write_rate: float = 100.0
    """PENNANT_WRITE_RATE: API writes a second, with a burst of ten times as many: what a hundred
    ModelDeployments write that follow one alias goes as fast as the API server takes it."""
    leader_elect: bool = True
    """PENNANT_LEADER_ELECT: false writes without the Lease, for whoever knows that nobody else
    does."""
    timing: Timing = field(default_factory=Timing)
    """PENNANT_LEASE_DURATION, PENNANT_RENEW_DEADLINE, PENNANT_RETRY_PERIOD: whole seconds after
    which a silent leader's place is free, seconds after which it writes no more, and seconds
    between two tries. The same for all replicas. Defaults: 15, 10, 2."""
    log_format: str = "text"
    """PENNANT_LOG_FORMAT: text or json."""
    log_level: str = "info"
    """PENNANT_LOG_LEVEL: debug, info, warning or error."""
    decisions: str = "brief"
    """PENNANT_DECISIONS: what standard output has of each decision: off (nothing), brief (a line)
    or full (a second line, from which `pennant replay` makes the decision anew)."""
    kubeconfig: Path | None = None
    """KUBECONFIG: how to reach the API server outside a cluster. Default: the service account."""
    identity: str = "pennant"
    """HOSTNAME: who posts Events and holds the Lease; in a cluster the pod's name."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Config":
        """The configuration in these variables, empty ones being unset; raises ConfigError."""
        env = {name: value.strip() for name, value in environ.items() if value.strip()}
        fetch = _required(env, "PENNANT_FETCH_IMAGE", "the image that downloads bundles")
        return cls(
            namespace=env.get("PENNANT_NAMESPACE") or _own_namespace(),
            fetch_image=fetch,
            serving_image=env.get("PENNANT_SERVING_IMAGE", fetch),
            serving_images=_images(env.get("PENNANT_SERVING_IMAGES", "")),
            watch_namespaces=_names(env.get("PENNANT_WATCH_NAMESPACES", "")),
            pod_fs_group=_group(env),
            actors_checked=_one_of(env, "PENNANT_ACTORS_CHECKED", "false", SWITCH) == "true",
            http_host=env.get("PENNANT_HTTP_HOST", cls.http_host),
            http_port=int(_number(env, "PENNANT_HTTP_PORT", cls.http_port, 0, 65535)),
            webhook_port=int(_number(env, "PENNANT_WEBHOOK_PORT", cls.webhook_port, 0, 65535)),
            pod_ip=env.get("PENNANT_POD_IP", cls.pod_ip),
            workers=int(_number(env, "PENNANT_WORKERS", cls.workers, 1, 1000)),
            write_rate=_number(env, "PENNANT_WRITE_RATE", cls.write_rate, 0.1, 10_000),
            leader_elect=_one_of(env, "PENNANT_LEADER_ELECT", "true", SWITCH) == "true",
            timing=_timing(env),
            log_format=_one_of(env, "PENNANT_LOG_FORMAT", cls.log_format, LOG_FORMATS),
            log_level=_one_of(env, "PENNANT_LOG_LEVEL", cls.log_level, LOG_LEVELS),
            decisions=_one_of(env, "PENNANT_DECISIONS", cls.decisions, DECISIONS),
            kubeconfig=Path(env["KUBECONFIG"]) if "KUBECONFIG" in env else None,
            identity=env.get("HOSTNAME", cls.identity),
        )


def _required(env: Mapping[str, str], name: str, what: str) -> str:
    if name not in env:
        raise ConfigError(f"{name} is not set: it names {what}")
    return env[name]


def _own_namespace() -> str:
    try:
        return NAMESPACE_FILE.read_text().strip()
    except OSError:
        raise ConfigError(
            "PENNANT_NAMESPACE is not set, and this process has no service account to tell: "
            "set it to the namespace that holds the ModelRegistries"
        ) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in text.split(",") if name.strip()}))


def _images(text: str) -> dict[str, str]:
    images = {}
    for entry in _names(text):
        python, _, image = (part.strip() for part in entry.partition("="))
        if not re.fullmatch(r"3\.\d+", python) or not image or python in images:
            raise ConfigError(
                f"PENNANT_SERVING_IMAGES, {entry!r}: write PYTHON=IMAGE once for each Python, "
                "such as 3.12=registry.example.com/pennant-serving:1"
            )
        images[python] = image
    return images


def _number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high or (isinstance(default, int) and value != int(value)):
        raise ConfigError(f"{name}={text!r}: set a number from {low} to {high}")
    return value


def _group(env: Mapping[str, str]) -> int | None:
    name = "PENNANT_POD_FS_GROUP"
    if env.get(name, "").lower() == "none":
        return None
    return int(_number(env, name, POD_FS_GROUP, 1, 2**31 - 1))


def _timing(env: Mapping[str, str]) -> Timing:
    lease = int(_number(env, "PENNANT_LEASE_DURATION", Timing.lease, 1, 3600))
    renew = _number(env, "PENNANT_RENEW_DEADLINE", Timing.renew, 0.1, 3600)
    retry = _number(env, "PENNANT_RETRY_PERIOD", Timing.retry, 0.1, 3600)
    try:
        return Timing(lease, renew, retry)
    except ValueError as error:
        raise ConfigError(
            f"PENNANT_LEASE_DURATION={lease}, PENNANT_RENEW_DEADLINE={renew:g}, "
            f"PENNANT_RETRY_PERIOD={retry:g}: {error}"
        ) from None


def _one_of(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env.get(name, default).lower()
    if value not in choices:
        raise ConfigError(f"{name}={env[name]!r}: set one of {', '.join(choices)}")
    return value
