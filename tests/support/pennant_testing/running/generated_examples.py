"""How many examples generated tests try: a fifth of what they name, or as PENNANT_EXAMPLES says.

The few are the same ones in every run, and one that fails is shown as it was found: to make it
smaller can take minutes. `PENNANT_EXAMPLES=1` tries all, others each time, and makes what fails
small; 10 tries ten times as many. They are judged by what they show, never by how long a busy
machine takes.
"""

import os

from hypothesis import HealthCheck, Phase, settings

FACTOR = float(os.environ.get("PENNANT_EXAMPLES", "0.2"))


def examples(count: int) -> settings:
    """So many examples where all are tried."""
    return settings(max_examples=max(1, round(count * FACTOR)))


settings.register_profile(
    "all",
    examples(100),
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "few",
    settings.get_profile("all"),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("few" if FACTOR < 1 else "all")
