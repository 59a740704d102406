"""What is sent to a notifier: JSON, in whose texts `${...}` stands for a part of the news.

The template is parsed once, as JSON, and values are put into its texts afterwards: whatever a model
says of itself, what is sent is JSON of the same form.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACEHOLDERS = (
    "text",
    "occasion",
    "namespace",
    "name",
    "registry",
    "model",
    "alias",
    "version",
    "previous",
    "reason",
    "message",
    "time",
    "id",
)
SLACK = "Slack"  # spec.notify format
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_DEFAULTS = {
    SLACK: '{"text": "${text}"}',
    "JSON": json.dumps({name: f"${{{name}}}" for name in PLACEHOLDERS}),
}


class BadTemplateError(ValueError):
    """A template that cannot be used; the message says what is wrong with it and what to write."""


@dataclass(frozen=True)
class Body:
    """A template that can be used."""

    template: Any  # JSON
    slack: bool

    def filled(self, values: Mapping[str, str]) -> Any:
        """JSON with the values of all PLACEHOLDERS in it."""
        return _filled(self.template, values, slack=self.slack)


def parse_body(template: str | None, form: str) -> Body:
    """From spec.notify template and format; raises BadTemplateError."""
    try:
        parsed = json.loads(_DEFAULTS[form] if template is None else template)
        unknown = sorted(set(_names(parsed)) - set(PLACEHOLDERS))
    except (ValueError, RecursionError) as error:
        raise BadTemplateError(
            f"is not JSON ({error}): write JSON in which each ${{...}} is within the quotes of a "
            "text"
        ) from error
    if unknown:
        raise BadTemplateError(
            f"has ${{{unknown[0]:.40}}}, which stands for nothing: use some of "
            + ", ".join(f"${{{name}}}" for name in PLACEHOLDERS)
        )
    return Body(parsed, form == SLACK)


def _names(part: Any) -> list[str]:
    """The placeholders of a template."""
    if isinstance(part, str):
        return _PLACEHOLDER.findall(part)
    if isinstance(part, dict):
        return [name for pair in part.items() for each in pair for name in _names(each)]
    return [name for each in part for name in _names(each)] if isinstance(part, list) else []


def _filled(part: Any, values: Mapping[str, str], *, slack: bool) -> Any:
    if isinstance(part, str):
        return _PLACEHOLDER.sub(lambda match: _shown(values[match[1]], slack=slack), part)
    if isinstance(part, dict):
        return {
            _filled(name, values, slack=slack): _filled(each, values, slack=slack)
            for name, each in part.items()
        }
    return [_filled(each, values, slack=slack) for each in part] if isinstance(part, list) else part


def _shown(value: str, *, slack: bool) -> str:
    """In Slack, what a model says of itself may neither call a whole channel nor be a link."""
    if not slack:
        return value
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
