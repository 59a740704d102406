"""What the figures are held against."""

from bench.scale.run import Figures

POLL_SECONDS = 15.0  # a ModelRegistry's default
# Seconds, p99, up to 1,000; a pause between polls is up to a tenth longer.
HOOK_SECONDS, POLLED_SECONDS = 1.0, 1.1 * POLL_SECONDS + 1.0
MEMORY_MIB = {1000: 150, 5000: 400}  # up to so many ModelDeployments with a model of their own


def memory_of(figures: Figures) -> int | None:
    """MiB; None for a fleet larger than any budget is about."""
    return next((limit for size, limit in MEMORY_MIB.items() if _own(figures) <= size), None)


def is_timed(figures: Figures) -> bool:
    """Whether the budgets of seconds are about a fleet of this size."""
    return _own(figures) <= min(MEMORY_MIB)


def _own(figures: Figures) -> int:
    return figures.deployments - figures.following
