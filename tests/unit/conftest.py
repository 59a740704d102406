import gc

from pennant_testing.running import generated_examples  # noqa: F401 - loads the profile of generated tests


def pytest_collection_finish() -> None:
    """What was imported stays: to look through it again and again takes a fifth of all the time."""
    gc.collect()
    gc.freeze()
