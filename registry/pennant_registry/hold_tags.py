"""Holding an alias, a stage or one version of it, and letting go: tags of the registered model.

They are the model's and not the version's, so that who follows a thousand models reads them with
the aliases. MLflow has no compare-and-set: of two who hold at the same moment, one is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pennant_registry import client as mlflow_client
from pennant_registry import names
from pennant_registry.environment import Environment
from pennant_registry.errors import (
    InvalidNameError,
    NothingToReleaseError,
    OnHoldError,
    RegistryError,
    VersionMissingError,
)
from pennant_registry.hold_form import (
    HOLD_AUTHOR_LIMIT,
    HOLD_REASON_LIMIT,
    Hold,
    Holds,
    hold_tag,
    hold_text,
    holds_among,
    one_line,
    read_hold,
    time_text,
)
from pennant_registry.pointers import Pointer, pointer
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def hold(
    name: str,
    alias: str | None = None,
    reason: str = "",
    until: datetime | None = None,
    *,
    stage: str | None = None,
    version: int | str | None = None,
) -> Hold:
    """Nothing new of the alias or stage goes out, or not this `version` of it, until `release`, or
    until a time: `promote` refuses, and the operator begins nothing. What is going out goes on.

    Raises InvalidNameError (a tag's key has a limit), VersionMissingError where there is no such
    model, and OnHoldError where somebody else holds it already, or at the same moment.
    """
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    own = _new_hold(of, reason, until, version)
    before, now = _same(holds_on(client, name, of), own), datetime.now(UTC)
    if before is not None and before.in_force(now) and before.by != own.by:
        raise OnHoldError(f"{_title(of, own)} of {name} is {before}: release it first")
    _set(client, name, own.tag, hold_text(own))
    after = _same(holds_on(client, name, of), own)
    if after is None or hold_text(after) != hold_text(own):
        now_so = f"is {after}" if after else "was released"
        raise OnHoldError(f"{_title(of, own)} of {name} {now_so}, by somebody else just now")
    return own


def release(
    name: str,
    alias: str | None = None,
    *,
    stage: str | None = None,
    version: int | str | None = None,
) -> Hold:
    """Ends the hold on the alias or stage, or the one on this `version` of it; the one it was.

    Raises NothingToReleaseError, which names the versions that are on hold by themselves.
    """
    of, client = pointer(name, alias, stage), mlflow_client.connect()
    asked = Hold("", version=None if version is None else _number(version))
    holds = holds_on(client, name, of)
    before = _same(holds, asked)
    if before is None:
        raise NothingToReleaseError(
            f"there is no hold on {_title(of, asked)} of {name}{_others(holds)}"
        )
    _set(client, name, before.tag, None)
    return before


def holds_on(client: MlflowClient, name: str, of: Pointer) -> Holds:
    """Those of a model's alias or stage, those that are over included."""
    return holds_among(_tags(client, name), of.suffix)


@contextlib.contextmanager
def let_through(
    client: MlflowClient, version: Version, of: Pointer, every: Sequence[Hold]
) -> Iterator[None]:
    """Around a move that somebody said goes out although the version is on hold: a hold on it alone
    ends, one on the alias stands for all others. Where the move fails they are as they were."""
    with contextlib.ExitStack() as changes:
        for on in every:
            text = None
            if on.version is None:
                text = hold_text(replace(on, let_through=(*on.let_through, str(version.version))))
            changes.enter_context(_changed(client, version, of, on.tag, text))
        yield


@contextlib.contextmanager
def put_on_hold(client: MlflowClient, left: Version, of: Pointer, reason: str) -> Iterator[None]:
    """Around a rollback, before the alias moves: what it leaves comes back by no job. Whoever held
    that version before goes on holding it."""
    key = hold_tag(of.suffix, str(left.version))
    before = holds_on(client, left.name, of).by_version.get(str(left.version))
    if before is not None and before.until is None:
        yield
        return
    with _changed(client, left, of, key, hold_text(_new_hold(of, reason, None, left.version))):
        yield


@contextlib.contextmanager
def _changed(
    client: MlflowClient, version: Version, of: Pointer, key: str, text: str | None
) -> Iterator[None]:
    """Around a move of an alias to a version, or away from it: it comes first, so that an operator
    that sees the move sees this, too."""
    before, at = _tags(client, version.name).get(key), _at(client, version.name, of)
    _set(client, version.name, key, text)
    try:
        yield
    except RegistryError as error:
        try:
            if _at(client, version.name, of) == at:
                _set(client, version.name, key, before)
        except RegistryError as trouble:
            error.add_note(f"the tag {key} of {version.name} may be left changed ({trouble})")
        raise


def _at(client: MlflowClient, name: str, of: Pointer) -> int | None:
    holders = of.holders(client, name)
    return holders[0].version if holders else None


def _new_hold(of: Pointer, reason: str, until: datetime | None, version: int | str | None) -> Hold:
    number = None if version is None else _number(version)
    key, now = hold_tag(of.suffix, number), datetime.now(UTC).replace(microsecond=0)
    if problem := names.tag_key_problem(key):
        raise InvalidNameError(problem)
    if not reason.strip():
        raise RegistryError("reason is empty: say why it is held, for whoever finds it so")
    if len(reason) > HOLD_REASON_LIMIT:
        raise RegistryError(
            f"reason has {len(reason)} characters: write {HOLD_REASON_LIMIT} at most"
        )
    if until is not None and until.tzinfo is None:
        raise RegistryError(f"until {until} has no time zone: give one, such as datetime.now(UTC)")
    if until is not None and until <= now:
        raise RegistryError(f"until {time_text(until)} is over already: give a time to come")
    by = one_line(Environment.read().actor, HOLD_AUTHOR_LIMIT)
    own = Hold(reason, by, now, until, number)
    return replace(read_hold(hold_text(own)), version=number, tag=key)  # as others will read it


def _number(version: int | str) -> str:
    if problem := names.version_problem(str(version)):
        raise InvalidNameError(problem)
    return str(version)


def _same(holds: Holds, own: Hold) -> Hold | None:
    return holds.whole if own.version is None else holds.by_version.get(own.version)


def _title(of: Pointer, own: Hold) -> str:
    return f"{of}" if own.version is None else f"version {own.version} for {of}"


def _others(holds: Holds) -> str:
    if holds.by_version:
        numbers = ", ".join(sorted(holds.by_version, key=int))
        return f"; there is one on version {numbers}: give version= to release it"
    return "; there is one on all of it: leave version out to release it" if holds.whole else ""


def _tags(client: MlflowClient, name: str) -> dict[str, str]:
    try:
        with mlflow_client.asking(client):
            return dict(client.get_registered_model(name).tags)
    except RegistryError as error:
        if error.code != mlflow_client.NOT_FOUND:
            raise
        raise VersionMissingError(
            f"there is no registered model {name} in the registry at {client.tracking_uri}: "
            "register a version of it first"
        ) from error


def _set(client: MlflowClient, name: str, key: str, text: str | None) -> None:
    """None: the tag goes."""
    with mlflow_client.asking(client):
        if text is None:
            client.delete_registered_model_tag(name, key)
        else:
            client.set_registered_model_tag(name, key, text)
