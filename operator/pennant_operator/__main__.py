"""`python -m pennant_operator`: reads the environment, connects, runs until SIGTERM."""

import asyncio
import functools
import logging
import os
import signal
import sys
from dataclasses import replace

from kubernetes.aio.config import ConfigException

from pennant_operator.config import Config, ConfigError
from pennant_operator.kinds import KINDS
from pennant_operator.kube import Api, ApiError, connect
from pennant_operator.observe.cluster.namespaces import forbidden, wait_until_allowed
from pennant_operator.observe.cluster.watch import watch
from pennant_operator.run import logs, operator
from pennant_operator.run.lease.leadership import LostError
from pennant_operator.run.wiring import wire

LOG = logging.getLogger("pennant_operator")


class StartError(Exception):
    """The operator cannot start; the message says what to do."""


def main() -> None:
    """Exit 0 when told to stop, 1 when another replica may lead, 2 when it cannot start.

    A traceback is a fault of the operator.
    """
    try:
        config = Config.from_env(os.environ)  # noqa: TID251 - read once, here
        logs.set_up(config.log_format, config.log_level)
        asyncio.run(run(config))
    except (ConfigError, StartError, ConfigException) as error:
        sys.stderr.write(f"pennant-operator cannot start: {error}\n")
        sys.exit(2)
    except LostError as error:
        LOG.error("ending: %s", error)  # noqa: TRY400 - that it was lost is all there is to say
        sys.exit(1)


async def run(config: Config) -> None:
    """Run the operator until a signal, or until it may look at more namespaces than at first."""
    client = await connect(config.kubeconfig)
    try:
        api = Api(client)
        closed = await forbidden(api, config.watch_namespaces)
        opened = tuple(each for each in config.watch_namespaces if each not in closed)
        _log_namespaces(opened, closed)
        # No name at all would mean every namespace; of a closed one the lists show nothing.
        config = replace(config, watch_namespaces=opened or closed)
        await _require_api(api, config)
        stop = asyncio.Event()

        def take_signals() -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)

        take_signals()
        waiting = asyncio.create_task(_start_anew_when_allowed(api, closed, stop))
        watched = functools.partial(watch, take_signals=take_signals)
        feed = watched if opened or not closed else _nothing
        try:
            await operator.run(wire(config, api), feed, stop)
        finally:
            waiting.cancel()
        LOG.info("stopped")
    finally:
        await client.close()  # type: ignore[no-untyped-call]


def _log_namespaces(opened: tuple[str, ...], closed: tuple[str, ...]) -> None:
    where = ", ".join(opened) or ("no namespace yet" if closed else "every namespace")
    LOG.info("looking for ModelDeployments in %s", where)
    if closed:
        LOG.warning(
            "ModelDeployments may not be listed in %s: they are waited for; make the namespace if "
            "it is missing, give the operator's service account the Role "
            "pennant-operator-modeldeployments there (helm upgrade does), or take it out of "
            "PENNANT_WATCH_NAMESPACES",
            ", ".join(closed),
        )


async def _nothing(*_: object, stop: asyncio.Event, **__: object) -> None:
    """The watch of no namespace."""
    await stop.wait()


async def _start_anew_when_allowed(api: Api, closed: tuple[str, ...], stop: asyncio.Event) -> None:
    if closed:
        await wait_until_allowed(api, closed)
        LOG.info("more namespaces may be looked at now: ending, to be started with them")
        stop.set()


async def _require_api(api: Api, config: Config) -> None:
    """kopf waits for ever for a kind that is not there; a person should be told."""
    first = config.watch_namespaces[0] if config.watch_namespaces else None
    for kind, namespace in (
        ("ModelDeployment", first),
        ("RolloutAction", first),
        ("ModelRegistry", config.namespace),
    ):
        try:
            await api.request("GET", KINDS[kind].path(namespace), {"limit": "1"})
        except ApiError as error:
            if error.status == 404:
                raise StartError(
                    f"the API server knows no {kind}: install the custom resource definitions "
                    "first (kubectl apply -k manifests/crd)"
                ) from error
            # Anything else may pass: the lists say so and try again.
            LOG.warning("%s cannot be read yet: %s", kind, error)


if __name__ == "__main__":
    main()
