"""What the watch does with the objects that events bring."""

from typing import Any

import pytest

from pennant_operator.observe.watch import _settings

pytestmark = pytest.mark.unit


class Uncopied:
    """Part of an object that nobody may copy."""

    def __deepcopy__(self, memo: Any) -> None:
        raise AssertionError("copied")


def test_no_event_makes_the_framework_copy_the_object():
    storage = _settings().persistence.diffbase_storage
    assert storage.build(body={"metadata": {}, "spec": Uncopied()}, extra_fields=[]) == {}
    assert storage.fetch(body={"spec": Uncopied()}) is None
