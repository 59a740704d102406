"""Hands a webhook from a replica that stands by to the one that leads."""

from collections.abc import Callable, Mapping

import aiohttp

from pennant_operator.observe.webhook.delivery import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER

PASSED_ON = (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER)
RELAYED = "Pennant-Relayed"  # handed on once, and not again: two may each believe the other leads
RELAY_SECONDS = 3.0  # for the leader's answer to a webhook that a standby hands on
UNAVAILABLE = 503  # MLflow tries again
UNAUTHORIZED = 401


def identity(name: str, pod_ip: str, port: int) -> str:
    """A name for the Lease that says where its holder takes webhooks."""
    host = f"[{pod_ip}]" if ":" in pod_ip else pod_ip
    return f"{name}@{host}:{port}" if pod_ip else name


def address(holder: str) -> str:
    """Where the holder of the Lease takes webhooks; empty where its name does not say."""
    return holder.partition("@")[2]


class Relay:
    """`leader` gives the leading replica's receiver as host:port, "" while nobody is known to lead.

    And None where this process leads, or where there are no others.
    """

    def __init__(self, leader: Callable[[], str | None]) -> None:
        self._leader = leader

    async def __call__(self, path: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """The leader's status; None where this process is to answer itself."""
        leader = self._leader()
        if leader is None:
            return None
        if not leader or RELAYED in headers:
            return UNAVAILABLE
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        if not all(value.isascii() for value in passed.values()):
            return UNAUTHORIZED  # as the leader would say: no header of MLflow's is so
        timeout = aiohttp.ClientTimeout(total=RELAY_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    f"http://{leader}{path}",
                    data=body,
                    headers=passed | {RELAYED: "1"},
                    allow_redirects=False,
                ) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return UNAVAILABLE
