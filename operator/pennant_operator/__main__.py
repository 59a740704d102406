"""`python -m pennant_operator`: reads the environment, connects, and runs until SIGTERM."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable

from pennant_operator.config import Config, ConfigError
from pennant_operator.kube import KINDS, Api, ApiError, connect
from pennant_operator.observe.store import Key, Store
from pennant_operator.observe.watch import watch
from pennant_operator.run.operator import Operator

LOG = logging.getLogger("pennant_operator")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        said = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said)


def main() -> int:
    """Exit status 0 after SIGTERM, 1 with a sentence when the operator cannot run."""
    try:
        config = Config.from_env(os.environ)  # noqa: TID251 -- the one place that reads it
    except ConfigError as error:
        sys.stderr.write(f"pennant-operator: {error}\n")
        return 1
    _log(config)
    try:
        asyncio.run(_run(config))
    except ApiError as error:
        LOG.error("the API server refused: %s", error)  # noqa: TRY400 -- a sentence is enough
        return 1
    return 0


async def _run(config: Config) -> None:
    client = await connect(config.kubeconfig)
    try:
        api = Api(client)
        await _check_definitions(api)
        await Operator(config, api).run(_watch)
    finally:
        await client.close()  # type: ignore[no-untyped-call]


async def _watch(
    api: Api, store: Store, enqueue: Callable[[Key], None], namespaces: tuple[str, ...]
) -> None:
    # kopf ends by itself on SIGTERM and SIGINT; the flag is for embedding, which nobody does here.
    await watch(api, store, enqueue, namespaces=namespaces, stop=asyncio.Event())


async def _check_definitions(api: Api) -> None:
    """kopf would wait for a missing definition in silence."""
    for kind in ("ModelDeployment", "ModelRegistry"):
        try:
            await api.request("GET", KINDS[kind].path(None), {"limit": "1"})
        except ApiError as error:
            if error.status == 404:
                text = f"{kind} is not defined in this cluster: kubectl apply -k manifests/crd"
                raise ApiError(404, "NotDefined", text) from error
            if error.status != 403:  # a namespaced operator may not list everywhere
                raise


def _log(config: Config) -> None:
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(JsonFormatter() if config.log_format == "json" else text)
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])
    logging.getLogger("kopf").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
