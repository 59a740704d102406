"""Bodies of requests that the API server reads as YAML: apply, and what it is to spell itself.

It keeps the `data` of a ControllerRevision byte by byte as JSON brings it, and refuses every later
change of the object, the garbage collector's too, that spells it otherwise than itself does. Of
YAML it makes its own JSON.
"""

import json
import re
from typing import Any

_NOT_PLAIN = re.compile(r"[^\x00-\x7e]")


def as_yaml(body: Any) -> str:
    """JSON that is YAML, too, which knows no pairs of surrogates and no bare control characters."""
    return _NOT_PLAIN.sub(_escaped, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:  # half a character, as models may write it: no text holds it
        code = 0xFFFD
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
