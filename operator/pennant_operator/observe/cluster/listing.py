"""LISTs everything the operator knows of into the store: at start, and every ten minutes.

The watch brings changes fast, but after a lost connection it forgets to tell what was deleted
meanwhile, and three kinds are not watched at all. What a list shows to be new, changed or gone is
looked at again; most of the time that is nothing.
"""

import logging

from pennant_operator.decide.seen.actions import KIND as ACTION
from pennant_operator.decide.vocabulary import LABEL_MANAGED_BY, MANAGED_BY, MANAGED_SELECTOR
from pennant_operator.kube import FORBIDDEN, Api, ApiError
from pennant_operator.observe.cluster.store import OWNER, Key, Store

LOG = logging.getLogger(__name__)
CHILDREN = ("Service", "Deployment", "ConfigMap", "ControllerRevision", "PodDisruptionBudget")


async def relist(api: Api, store: Store, namespaces: tuple[str, ...]) -> set[Key]:
    """Bring the store up to date; the keys to look at again. Raises ApiError.

    One of several namespaces that may not be listed is passed over: the others go on.
    """
    changed: set[Key] = set()
    for namespace in namespaces or (None,):
        try:
            # Owners last: their children, and what people do to them, are known before they are.
            for kind in (*CHILDREN, ACTION, OWNER):
                changed |= await _relist(api, store, kind, namespace)
        except ApiError as error:
            if namespace is None or error.status != FORBIDDEN:
                raise
            # Not open yet, or closed while we run, such as a deleted one: what was known stands.
            LOG.warning("%s was passed over: %s", namespace, error)
    return changed


async def relist_actions(api: Api, store: Store, namespace: str) -> set[Key]:
    """Those of one namespace, which need not be watched; the keys to look at again, or ApiError."""
    return await _relist(api, store, ACTION, namespace)


async def _relist(api: Api, store: Store, kind: str, namespace: str | None) -> set[Key]:
    selector = "" if kind in {OWNER, ACTION} else MANAGED_SELECTOR
    changed: set[Key | None] = set()
    seen: set[str] = set()
    version = 0
    async for page, listed_at in api.pages(kind, namespace, selector):
        version = listed_at
        for obj in page:
            seen.add(obj["metadata"]["uid"])
            changed.add(store.put(obj))
    for where, name, uid in store.uids(kind, upto=version):
        if uid in seen or namespace not in {None, where}:
            continue
        if selector and not _is_listed(store, kind, where, name):
            continue  # somebody else's, read by name: that no list shows it says nothing
        LOG.info("%s %s/%s went away unseen", kind, where, name)
        changed.add(store.drop(kind, where, name, uid, version))
    return {key for key in changed if key is not None}


def _is_listed(store: Store, kind: str, namespace: str, name: str) -> bool:
    """Whether what is known carries the label that lists go by."""
    known = store.get(kind, namespace, name) or {"metadata": {}}
    return bool(known["metadata"].get("labels", {}).get(LABEL_MANAGED_BY) == MANAGED_BY)
