"""The numbers of registries and their webhooks, in Prometheus' format."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pennant_operator.observe.webhook.webhook import Outcome

# What alerts are about stands at 0 before it happens: Prometheus sees no increase from none to 1.
_REFUSED_HOOKS = (Outcome.FORGED, Outcome.NO_SECRET, Outcome.MALFORMED)
_GIVEN_UP = "given_up"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class RegistryMetrics:
    """One set of samples for each ModelRegistry there is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answered = Gauge(
            "pennant_registry_last_success_timestamp_seconds",
            "When a registry last answered all that it was asked.",
            ["registry"],
            registry=registry,
        )
        self._requests = Counter(
            "pennant_registry_requests",
            "Requests to a registry, by status code; 0 is no answer.",
            ["registry", "code"],
            registry=registry,
        )
        self._durations = Histogram(
            "pennant_registry_request_duration_seconds",
            "Time of one request to a registry.",
            ["registry"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._webhooks = Counter(
            "pennant_webhooks",
            "Webhooks that came, by what became of them.",
            ["registry", "result"],
            registry=registry,
        )

        self._notifications = Counter(
            "pennant_notifications",
            "Attempts to send a message to a notifier, by what became of them.",
            ["registry", "notifier", "result"],
            registry=registry,
        )
        self._braked = Gauge(
            "pennant_registry_braked",
            "Whether the brake of a registry holds: nothing of it is rolled out.",
            ["registry"],
            registry=registry,
        )
        self._under_way = Gauge(
            "pennant_registry_rollouts_under_way",
            "Candidates of a registry that come up.",
            ["registry"],
            registry=registry,
        )
        self._waiting = Gauge(
            "pennant_registry_rollouts_in_line",
            "ModelDeployments of a registry that wait for their turn.",
            ["registry"],
            registry=registry,
        )
        self._unwritten = Gauge(
            "pennant_registry_write_back_pending",
            "ModelDeployments whose version tags in the registry are not what they should be.",
            ["registry"],
            registry=registry,
        )

    def answered(self, registry: str, at: datetime) -> None:
        """A registry answered all that it was asked."""
        self._answered.labels(registry).set(at.timestamp())
        for result in _REFUSED_HOOKS:
            self._webhooks.labels(registry, result)

    def requested(self, registry: str, status: int, seconds: float) -> None:
        """A request to it is over; status 0: without an answer."""
        self._requests.labels(registry, str(status)).inc()
        self._durations.labels(registry).observe(seconds)

    def hooked(self, registry: str, result: str) -> None:
        """A webhook came; the registry is empty where strangers named one that takes none."""
        self._webhooks.labels(registry, result).inc()

    def notified(self, registry: str, notifier: str, result: str) -> None:
        """An attempt to send a message to one of its notifiers is over, or it was given up."""
        self._notifications.labels(registry, notifier, _GIVEN_UP)
        self._notifications.labels(registry, notifier, result).inc()

    def braked(self, registry: str, *, on: bool) -> None:
        """Whether its brake holds."""
        self._braked.labels(registry).set(int(on))

    def lined_up(self, registry: str, under_way: int, waiting: int) -> None:
        """How many of its rollouts go on, and how many wait for their turn."""
        self._under_way.labels(registry).set(under_way)
        self._waiting.labels(registry).set(waiting)

    def unwritten(self, registry: str, places: int) -> None:
        """Of how many ModelDeployments the version tags are not as they should be."""
        self._unwritten.labels(registry).set(places)

    def forget(self, registry: str) -> None:
        """The ModelRegistry is gone."""
        of_webhooks = self._answered, self._requests, self._durations, self._webhooks
        for each in (
            *of_webhooks,
            self._notifications,
            self._braked,
            self._under_way,
            self._waiting,
            self._unwritten,
        ):
            each.remove_by_labels({"registry": registry})
