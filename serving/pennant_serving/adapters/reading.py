"""How native adapters read requests: what is plain by themselves, everything else by MLflow."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pennant_serving.adapters import example
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Prepared

if TYPE_CHECKING:  # it imports MLflow and pandas
    from pennant_serving.adapters.scoring import Scoring


class ReadingAdapter:
    """Reads /invocations, and the input example, which is such a request."""

    _mlmodel: MLmodel

    @property
    def input_example(self) -> Prepared | None:
        return example.read(self._mlmodel, self._read_either)

    def read_plain(self, body: bytes) -> Invocation[Prepared]:
        """A request of nothing but numbers that fit. Raises InvalidInput for all others, of which
        only `read` can say whether they do."""
        raise NotImplementedError

    def read(self, form: str, body: bytes) -> Invocation[Prepared]:
        """Any request, by MLflow, which is imported for the first of them: half a second and 60
        MiB, and pandas. Raises InvalidInput, or TooLarge."""
        asked = self._scoring.read(form, body)
        return Invocation(self._scoring.enforced(asked.rows, asked.params))

    def check_params(self, params: Any) -> None:
        """Raises InvalidInput for those that do not fit the signature; the model takes none."""
        if self._mlmodel.params:
            self._scoring.checked(params)

    @cached_property
    def _scoring(self) -> Scoring:
        from pennant_serving.adapters.scoring import Scoring

        return Scoring.of(self._mlmodel.folder)

    def _read_either(self, form: str, body: bytes) -> Invocation[Prepared]:
        try:
            return self.read_plain(body)
        except InvalidInput:
            return self.read(form, body)
