"""Whether a version may bring its own image: the one that its tag `pennant.image` names.

Who may write tags chooses what runs in the pods, with what is mounted into them: so the
administrator says which images that may be, and a digest says that they are these for ever.
"""

import re

from pennant_operator.decide.registry.patterns import matches
from pennant_operator.decide.seen.observed import Refused
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.names import TAG_IMAGE

IMAGE_CHARACTERS_LIMIT = 500  # of a reference; a name has 255 of them at most, a tag 128
_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_PINNED = re.compile(
    rf"{_PART}(?::[0-9]{{1,5}}(?=/))?(?:/{_PART})*(?::\w[\w.-]{{0,127}})?@sha256:[0-9a-f]{{64}}",
    re.ASCII,
)


def image_refusal(image: str | None, allowed: tuple[str, ...], *, registry: str) -> Refused | None:
    """Why the image that a version's tag names may not run; None when it may, or there is none."""
    if image is None:
        return None
    if len(image) > IMAGE_CHARACTERS_LIMIT or not _PINNED.fullmatch(image):
        fault = (
            "is not pinned by its digest: set the tag to <name>@sha256:<64 hexadecimal digits>, "
            "as the registry of images tells it"
        )
    elif matches(image, allowed):
        return None
    else:
        those = f"({', '.join(allowed)})" if allowed else "(there are none)"
        fault = (
            f"is none of its spec.allowedImages {those}: have its administrator add it there, or "
            "set the tag to one of these"
        )
    return Refused(
        Reason.IMAGE_NOT_ALLOWED,
        f"ModelRegistry {registry}: the version's tag {TAG_IMAGE} {image[:200]!r} {fault}",
    )
