"""Which of the named namespaces this operator may look at: a deleted one takes no other with it.

With a namespace its Roles go, and what may not be listed would end the watch of all the others.
"""

import asyncio

from pennant_operator.kinds import KINDS
from pennant_operator.kube import FORBIDDEN, OK, Api, ApiError

FORBIDDEN_RETRY_SECONDS = 10.0  # between two looks at a namespace that was forbidden


async def forbidden(api: Api, namespaces: tuple[str, ...]) -> tuple[str, ...]:
    """Those whose ModelDeployments may not be listed; any other trouble is the lists' to tell."""
    return tuple([each for each in namespaces if await _answer(api, each) == FORBIDDEN])


async def wait_until_allowed(api: Api, namespaces: tuple[str, ...]) -> None:
    """Until one of them was listed."""
    while True:
        for each in namespaces:
            if await _answer(api, each) == OK:
                return
        await asyncio.sleep(FORBIDDEN_RETRY_SECONDS)


async def _answer(api: Api, namespace: str) -> int:
    """The status of the smallest LIST there is; 0 for none."""
    try:
        await api.request("GET", KINDS["ModelDeployment"].path(namespace), {"limit": "1"})
    except ApiError as error:
        return error.status
    return OK
