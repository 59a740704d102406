"""Errors that a request may end with: each knows its status and its MLflow error code."""

from __future__ import annotations

from pathlib import PurePath

MESSAGE_LIMIT_CHARACTERS = 2000
"""Characters of a message. It may repeat what was sent, and that may be megabytes."""


class ServingError(Exception):
    """Answered with `status` and one sentence."""

    status = 500
    code = "INTERNAL_ERROR"
    headers: dict[str, str] | None = None
    raised: str = ""
    """What a model raised, and where: a type and a place in its code, without what it said."""

    def __init__(self, message: str) -> None:
        more = len(message) - MESSAGE_LIMIT_CHARACTERS
        super().__init__(
            f"{message[:MESSAGE_LIMIT_CHARACTERS]} [and {more} more]" if more > 0 else message
        )


class InvalidInput(ServingError):  # noqa: N818 - adapters raise it, and it reads well there
    """The request is malformed, or does not fit the model."""

    status = 400
    code = "BAD_REQUEST"


class Unfit(InvalidInput):
    """The request does not fit the model, and nothing that a library said need be told."""


class NoSuchModel(ServingError):  # noqa: N818
    """The path names a model or version that is not served here."""

    status = 404
    code = "RESOURCE_DOES_NOT_EXIST"


class TooLarge(ServingError):  # noqa: N818
    """The body is larger than this server takes."""

    status = 413
    code = "BAD_REQUEST"


class UnsupportedMediaType(ServingError):  # noqa: N818
    """The body is of a kind that this server does not read."""

    status = 415
    code = "BAD_REQUEST"


class PredictFailed(ServingError):  # noqa: N818
    """The model raised."""


class OutOfMemory(ServingError):  # noqa: N818
    """There was not enough memory to answer this request; there may be for others."""

    status = 507
    code = "RESOURCE_EXHAUSTED"


class Unavailable(ServingError):  # noqa: N818
    """Not ready yet, or too much waiting already."""

    status = 503
    code = "TEMPORARILY_UNAVAILABLE"
    headers = {"retry-after": "1"}  # noqa: RUF012 - never changed


class TimedOut(ServingError):  # noqa: N818
    """The model did not answer in time."""

    status = 504
    code = "DEADLINE_EXCEEDED"


def content(path: str, code: str, message: str) -> dict[str, str]:
    """An error's body: V2 clients read `error`; MLflow's read `error_code` and `message`."""
    if path == "/invocations":
        return {"error_code": code, "message": message}
    return {"error": message}


def from_model(error: BaseException) -> ServingError:
    """What an adapter raised, as the client is told it."""
    if isinstance(error, ServingError):
        return error
    if isinstance(error, MemoryError):
        return no_memory(error)
    if isinstance(error, ValueError):  # how an adapter, which knows no class of ours, says so
        problem: ServingError = InvalidInput(str(error))
    else:
        problem = PredictFailed(f"the model raised {type(error).__name__}: {error}")
    problem.raised = culprit(error)
    return problem


def culprit(error: BaseException) -> str:
    """The type of an error and the line that raised it. What it says may repeat what was asked."""
    raised = getattr(error, "raised", "")
    if raised:
        return str(raised)
    if error.__cause__ is not None:
        return culprit(error.__cause__)
    place, name = error.__traceback__, type(error).__name__
    if place is None:
        return name
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    return f"{name} in {code.co_name} ({PurePath(code.co_filename).name}:{place.tb_lineno})"


def no_memory(error: MemoryError) -> OutOfMemory:
    """NumPy says in its error how much was wanted; others say nothing."""
    detail = f" ({error})" if str(error) else ""
    return OutOfMemory(f"not enough memory to answer this{detail}: send fewer rows at a time")


def nested_too_deeply() -> InvalidInput:
    """For what the decoders, and what looks at rows, raise RecursionError."""
    return InvalidInput("the request is nested too deeply")
