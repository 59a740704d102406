"""What the figures are held against."""

from bench.scale.run import Figures

POLL = 15.0  # seconds, a ModelRegistry's default
HOOK, POLLED = 1.0, 1.1 * POLL + 1.0  # seconds, p99; a pause between polls is up to a tenth longer
MEMORY = {1000: 150, 5000: 400}  # MiB, up to so many ModelDeployments with a model of their own


def memory_of(figures: Figures) -> int | None:
    """MiB; None for a fleet larger than any budget is about."""
    own = figures.deployments - figures.following
    return next((most for size, most in MEMORY.items() if own <= size), None)
