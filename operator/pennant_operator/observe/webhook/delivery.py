"""What MLflow sends to a webhook: whether it is genuine, and what it says to look at.

MLflow signs `<delivery id>.<unix time>.<body>` with HMAC-SHA256 and sends the base64 of it behind
`v1,`. A genuine hook is a hint to look, and nothing it says is believed.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pennant_operator.decide.seen.spec import Watch
from pennant_registry.places import place_of_tag

ID_HEADER = "X-MLflow-Delivery-Id"
TIME_HEADER = "X-MLflow-Timestamp"
SIGNATURE_HEADER = "X-MLflow-Signature"
CLOCK_TOLERANCE_SECONDS = 300.0  # that a webhook may be older, or younger, than our clock says
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_TIME = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Delivery:
    """A hook as it came; `sent` is the sender's unix time."""

    id: str
    sent: int
    signature: str
    body: bytes

    def signed_with(self, secret: bytes) -> bool:
        """Whether somebody who knows the secret made it."""
        # Bytes that are no text come as surrogates.
        given = self.signature.encode(errors="surrogateescape")
        return hmac.compare_digest(given, signature(secret, self).encode())

    def timely(self, now: float) -> bool:
        """Whether it was sent about now: a sender's clock may be ahead as well as behind."""
        return abs(now - self.sent) <= CLOCK_TOLERANCE_SECONDS


def delivery(headers: Mapping[str, str], body: bytes) -> Delivery | None:
    """A hook of MLflow's; None when its headers are not such a one's."""
    name, sent = headers.get(ID_HEADER, ""), headers.get(TIME_HEADER, "")
    if _ID.fullmatch(name) and _TIME.fullmatch(sent):
        return Delivery(name, int(sent), headers.get(SIGNATURE_HEADER, ""), body)
    return None


def signature(secret: bytes, hook: Delivery) -> str:
    """The header that MLflow would send."""
    content = f"{hook.id}.{hook.sent}.".encode() + hook.body
    return "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()


@dataclass(frozen=True)
class TagsChanged:
    """A tag of a version was set or deleted: a gate may ask for it."""

    model: str
    version: str

    @property
    def title(self) -> str:
        """As a log line has it."""
        return f"tags of version {self.version} of model {self.model}"


def hint(registry: str, body: bytes) -> Watch | TagsChanged | None:
    """The question whose answer a genuine hook says may have changed; None: no such question.

    An alias was set or removed, a version was made that somebody may have pinned before, or tags
    are others than a gate saw, but for those by which clusters say what is so. A new version is in
    no stage yet, and of stages, deletions and metrics MLflow sends no word: those are the poll's.
    """
    try:
        event = json.loads(body)
        about = f"{event['entity']}.{event['action']}"
        model, data = str(event["data"]["name"]), event["data"]
        if about in {"model_version_alias.created", "model_version_alias.deleted"}:
            return Watch(registry, model, alias=str(data["alias"]))
        if about == "model_version.created":
            return Watch(registry, model, version=str(data["version"]))
        if about in {"model_version_tag.set", "model_version_tag.deleted"}:
            if place_of_tag(str(data.get("key", ""))) is not None:
                return None
            return TagsChanged(model, str(data["version"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None
