"""What a person reads: a line for each thing that happened."""

from __future__ import annotations

from pennant_cli.serve.order import Order
from pennant_cli.serve.steps import Revision
from pennant_registry.errors import ArtifactMissingError, DigestMismatchError

REASONS: dict[type[Exception], str] = {
    ArtifactMissingError: "BundleMissing: ",
    DigestMismatchError: "DigestMismatch: ",
}
"""In the words of a pod's failures."""


def reason_of(error: Exception) -> str:
    """Why a version is refused."""
    return f"{REASONS.get(type(error), '')}{error}"


class Messages:
    """On standard output, at once: it may be a file that somebody follows."""

    def __init__(self, order: Order, port: int) -> None:
        self._order = order
        host = f"[{order.host}]" if ":" in order.host else order.host
        self.url = f"http://{host}:{port}"
        self._away = ""

    def serves_first(self, revision: Revision, example: str) -> None:
        model = self._order.target.model
        self._print(
            f"{self._subject(revision)}: serving at {self.url} "
            f"(V2: /v2/models/{model}/infer, MLflow: /invocations)\ntry: {example}"
        )

    def loads(self, revision: Revision) -> None:
        self._print(f"version {revision}: loading")

    def serves(self, revision: Revision, seconds: float) -> None:
        self._print(f"version {revision} serves ({seconds:.1f} s)")

    def refused(self, revision: Revision, reason: str, good: Revision | None) -> None:
        goes_on = f"version {good} goes on" if good else "nothing serves until the alias moves"
        self._print(f"version {revision} refused: {reason}; {goes_on}")

    def not_set(self, good: Revision | None) -> None:
        goes_on = f"version {good} goes on" if good else "it is served when it is"
        self._print(f"{self._order.target} is not set; {goes_on}")

    def retries(self, revision: Revision, why: str, seconds: float) -> None:
        self._print(f"version {revision} {why}: again in {seconds:g} s")

    def registry_away(self, why: str, good: Revision | None) -> None:
        """Once, however often it is asked."""
        if not self._away:
            goes_on = f"version {good} goes on" if good else "it is asked again"
            self._print(f"{why}; {goes_on}")
        self._away = why

    def registry_answers(self) -> None:
        if self._away:
            self._print("the registry answers again")
        self._away = ""

    def _subject(self, revision: Revision) -> str:
        target = self._order.target
        is_alias = target.alias is not None
        return f"{target} is version {revision}" if is_alias else str(target)

    def _print(self, line: str) -> None:
        print(line, flush=True)
