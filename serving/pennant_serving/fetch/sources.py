"""Which sources may be fetched. Pure: decided before any credential is attached to anything."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from pennant_serving.failures import PodError, Reason

# These name something that moves, or that only a registry can resolve. The operator resolves.
UNRESOLVED = ("models", "runs")


def check(source: str, allowed: tuple[str, ...]) -> None:
    """Raises PodError(SourceNotAllowed) unless `source` lies under an allowed prefix."""
    if problem := _problem(source, allowed):
        raise PodError(Reason.SOURCE_NOT_ALLOWED, f"source {source!r} is refused: {problem}")


def proxied_path(source: str) -> str | None:
    """The path below `mlflow-artifacts:/`, or None for a source in a store of its own."""
    parts = urlsplit(source)
    return parts.path.strip("/") if parts.scheme == "mlflow-artifacts" else None


def _problem(source: str, allowed: tuple[str, ...]) -> str | None:
    parts = urlsplit(source)
    if not parts.scheme:
        return "it has no scheme"
    if parts.scheme in UNRESOLVED:
        return f"{parts.scheme}: is resolved by the operator, never in a pod"
    if parts.scheme == "mlflow-artifacts" and source.startswith("mlflow-artifacts://"):
        return "it names a server of its own; only this registry's artifacts are allowed"
    if parts.query or parts.fragment:
        return "it carries a query or a fragment"
    if _leaves_its_folder(source):
        return "its path goes up (..), or holds a backslash or a control character"
    if not any(_under(source, prefix) for prefix in allowed):
        return f"it is under none of the allowed prefixes ({', '.join(allowed)})"
    return None


def _leaves_its_folder(source: str) -> bool:
    """Also when it is percent-encoded, once or several times over."""
    while True:
        if "\\" in source or any(ord(letter) < 32 for letter in source):
            return True
        if ".." in source.split("/") or ".." in source.partition(":")[2].split("/"):
            return True
        decoded = unquote(source)
        if decoded == source:
            return False
        source = decoded


def _under(source: str, prefix: str) -> bool:
    """A prefix ends at a segment: `s3://models` does not allow `s3://models-of-others`."""
    whole = prefix if prefix.endswith(("/", ":")) else prefix + "/"
    return source == prefix or source.startswith(whole)
