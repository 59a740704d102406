"""From an open port to ready: load, self-test, own routes."""

from __future__ import annotations

import gc
from collections.abc import Awaitable

from starlette.routing import BaseRoute

from pennant_serving import adapters
from pennant_serving.adapters.base import Adapter
from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.timing import Timing
from pennant_serving.bundle import Bundle, open_bundle
from pennant_serving.endpoints.own import AdapterRoutes
from pennant_serving.failures import PodError, Reason
from pennant_serving.fast.lane import FastLane
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.model import Model
from pennant_serving.pool import Pool
from pennant_serving.selftest import example_of, self_test
from pennant_serving.settings import Settings

Loaded = tuple[Bundle, str, Adapter | None]
"""A bundle, and its adapter's name and self; None when each worker must load its own."""


async def bring_up(
    settings: Settings,
    lifecycle: Lifecycle,
    own: AdapterRoutes,
    lane: FastLane,
    loaded: Loaded | None = None,
    at_last: Awaitable[object] | None = None,
) -> None:
    """Make the server ready, with what is loaded already; `at_last` is awaited just before.

    Raises PodError when this version must not get traffic.
    """
    pool, telemetry = Pool(), lane.telemetry
    phase = telemetry.phases.phase
    if loaded is None:
        with phase("load"):
            loaded = await pool.start(load, settings)
    bundle, name, adapter = loaded
    if adapter is None:
        with phase("load"):
            adapter = await pool.start(adapters.load, name, bundle, settings.threads)
    observer = Timing(telemetry) if settings.traces_endpoint else telemetry
    batcher = Batcher(adapter, pool, settings.limits, observer)
    model = Model(settings.model, settings.version, name, adapter, bundle, batcher)
    with phase("self-test") as notes:
        if not await self_test(model, settings.self_test):
            notes.append("skipped: off, or no input example")
    with phase("batching") as notes:
        notes.append(await _prove(model))
    own.open(_routes(model), batcher)
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
    """The bundle on the volume, and the adapter that it needs, by name. Raises PodError."""
    bundle = _open(settings)
    name = adapters.choose(settings.adapter, bundle)
    if settings.workers > 1 and not adapters.survives_fork(name):
        return bundle, name, None
    return bundle, name, adapters.load(name, bundle, settings.threads)


async def _prove(model: Model) -> str:
    """Try on the example what may be predicted together; the outcome in a few words."""
    rows = example_of(model)
    if rows is not None and len(rows):
        await model.batcher.prove(rows)
    return str(model.batcher)


def _open(settings: Settings) -> Bundle:
    try:
        return open_bundle(settings)
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
