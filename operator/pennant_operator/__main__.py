"""`python -m pennant_operator`: reads the environment, connects, runs until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from kubernetes.aio.config import ConfigException

from pennant_operator.config import Config, ConfigError
from pennant_operator.kube import KINDS, Api, ApiError, connect
from pennant_operator.observe.watch import watch
from pennant_operator.run import logs, operator

LOG = logging.getLogger("pennant_operator")


class StartError(Exception):
    """The operator cannot start; the message says what to do."""


def main() -> None:
    """Exit 0 when told to stop, 2 when it cannot start; a traceback is a fault of the operator."""
    try:
        config = Config.from_env(os.environ)  # noqa: TID251 - read once, here
        logs.set_up(config.log_format, config.log_level)
        asyncio.run(run(config))
    except (ConfigError, StartError, ConfigException) as error:
        sys.stderr.write(f"pennant-operator cannot start: {error}\n")
        sys.exit(2)


async def run(config: Config) -> None:
    """Run the operator until a signal."""
    client = await connect(config.kubeconfig)
    try:
        api = Api(client)
        await _require_api(api, config)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await operator.run(operator.wire(config, api), watch, stop)
        LOG.info("stopped")
    finally:
        await client.close()  # type: ignore[no-untyped-call]


async def _require_api(api: Api, config: Config) -> None:
    """kopf waits for ever for a kind that is not there; a person should be told."""
    for kind in ("ModelDeployment", "ModelRegistry"):
        path = KINDS[kind].path(config.namespace)
        try:
            await api.request("GET", path, {"limit": "1"})
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
