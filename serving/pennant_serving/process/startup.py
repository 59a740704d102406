"""From an open port to ready: load, self-test, own routes."""

from __future__ import annotations

import gc
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.routing import BaseRoute

from pennant_serving.adapters import differences, loading, trouble, versions
from pennant_serving.adapters.base import Adapter
from pennant_serving.adapters.loading import Choice
from pennant_serving.adapters.names import BUILT_IN
from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.timing import Timing
from pennant_serving.bundle.bundle import Bundle, open_bundle
from pennant_serving.failures import PodError, Reason
from pennant_serving.fast.lane import FastLane
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.board import Place
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.model.model import Model
from pennant_serving.process.once_a_pod import rehearsed_once
from pennant_serving.process.selftest import example_of, self_test
from pennant_serving.settings import Settings

NOTHING = Bundle(Path(), None)
"""In place of a bundle that an adapter of one's own reads in its own way."""


@dataclass(frozen=True)
class Loaded:
    """A bundle, and its adapter."""

    bundle: Bundle
    choice: Choice
    differences: str = ""
    """What the bundle asks for, and the image has otherwise."""


async def bring_up(
    settings: Settings,
    lifecycle: Lifecycle,
    own: AdapterRoutes,
    lane: FastLane,
    loaded: Loaded | None = None,
    at_last: Awaitable[object] | None = None,
    place: Place | None = None,
) -> None:
    """Make the server ready, with what is loaded already; `at_last` is awaited just before. A
    worker gives its place among the others.

    Raises PodError when this version must not get traffic.
    """
    pool, telemetry = Pool(), lane.telemetry
    phase = telemetry.phases.phase
    if loaded is None:
        with phase("load"):
            loaded = await pool.start(load, settings)
    with phase("load") as notes:
        choice, adapter = await _complete(loaded, settings, pool)
        notes.append(str(choice))
    if loaded.differences:
        telemetry.differences = loaded.differences
        telemetry.phases.note("differences", f"the bundle asks for {loaded.differences}")
    bundle = loaded.bundle
    timed = settings.traces_endpoint or settings.rehearsal_requests
    observer = Timing(telemetry) if timed else telemetry
    batcher = Batcher(adapter, pool, settings.limits, observer)
    model = Model(settings.model, settings.version, choice.name, adapter, bundle, batcher)
    with phase("self-test") as notes:
        model, note = await _tried(model, settings.self_test)
        notes.append(note)
    with phase("batching") as notes:
        notes.append(await _prove(model))
    routes = _routes(model)
    if settings.rehearsal_requests:
        with phase("rehearsal") as notes:
            notes.append(await _rehearsed(settings, model, routes, telemetry, place))
    own.open(routes, batcher)
    lane.open(model)
    if at_last is not None:
        await at_last
    _spare_what_stays()
    lifecycle.ready(model)
    print(telemetry.phases.line("ready"), flush=True)


def _spare_what_stays() -> None:
    """Collect garbage from now on, but never look through what is there for good.

    With scikit-learn these are 300,000 objects: looking through them stops all requests for 50 ms.
    """
    gc.freeze()
    gc.enable()


def load(settings: Settings) -> Loaded:
    """The bundle on the volume, and the adapter that it needs; of several workers, what they share.

    Raises PodError.
    """
    bundle, shared = _open(settings), settings.workers > 1
    # A bundle with packages of its own has what it asks for: they were resolved from that.
    check = "Off" if settings.environment else settings.environment_check
    differing = differences.checked(bundle, check)
    choice = loading.load(settings.adapter, bundle, settings.threads, shared=shared)
    return Loaded(bundle, choice, differing)


async def _complete(loaded: Loaded, settings: Settings, pool: Pool) -> tuple[Choice, Adapter]:
    """The adapter, loaded here when it was not before the fork. Raises PodError."""
    choice = loaded.choice
    if choice.adapter is None:
        choice = await pool.start(loading.load, settings.adapter, loaded.bundle, settings.threads)
    assert choice.adapter is not None  # only what is to be shared may be left to others
    return choice, choice.adapter


async def _tried(model: Model, mode: str) -> tuple[Model, str]:
    """The model when it has answered its own example, and what is to be noted. Raises PodError."""
    bundle = model.bundle if model.adapter_name in BUILT_IN else NOTHING
    try:
        answered = await self_test(model, mode)
    except PodError as error:
        message = trouble.mismatch_first(bundle, error.message)
        raise PodError(error.reason, message) from error.__cause__
    if answered is not None:
        mismatch = versions.mismatch(bundle)
        model = replace(model, answered=answered)
        return model, f"passed, though {mismatch}" if mismatch else "passed"
    if untried := trouble.untried(bundle):
        raise untried
    return model, "skipped: off, or no input example"


async def _prove(model: Model) -> str:
    """Try on the example what may be predicted together; the outcome in a few words."""
    rows = example_of(model)
    if rows is not None and len(rows):
        await model.batcher.prove(rows)
    return str(model.batcher)


async def _rehearsed(
    settings: Settings,
    model: Model,
    routes: list[BaseRoute],
    telemetry: Telemetry,
    place: Place | None,
) -> str:
    """Play the newest requests of what serves, before anybody can ask; the outcome in a sentence.
    Raises PodError."""
    own = AdapterRoutes()
    own.open(routes, model.batcher)
    gc.freeze()  # what is loaded is not looked through by the collection below
    telemetry.rehearsed = await rehearsed_once(settings, model, own, place)
    gc.collect()  # or what was asked would stay, among what is there for good
    return f"{telemetry.rehearsed.outcome}: {telemetry.rehearsed.message}"


def _open(settings: Settings) -> Bundle:
    try:
        return open_bundle(settings.model_path, settings.model, settings.version)
    except (OSError, ValueError, KeyError) as error:
        message = f"the bundle at {settings.model_path} cannot be read: {error}"
        raise PodError(Reason.LOAD_FAILED, message) from error


def _routes(model: Model) -> list[BaseRoute]:
    routes = getattr(model.adapter, "routes", None)
    try:
        return list(routes()) if routes else []
    except Exception as error:
        message = f"routes() of adapter {model.adapter_name} raised {type(error).__name__}: {error}"
        raise PodError(Reason.LOAD_FAILED, message) from error
