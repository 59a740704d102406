"""The laws hold whatever happens, and every run converges once the world calms down (chaos.py)."""

import pytest
from hypothesis import HealthCheck, settings

from pennant_testing.memory.chaos import Chaos
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

TestChaos = Chaos.TestCase
TestChaos.settings = settings(
    examples(100),
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
)
