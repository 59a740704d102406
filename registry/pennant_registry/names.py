"""Names shared with MLflow: version tags, and which model names, versions and aliases it takes.

Pure, so that the operator can check a spec without asking a server.
"""

from __future__ import annotations

import re

# Written by `register`.
TAG_SHA256 = "pennant.sha256"
TAG_DATASET = "pennant.dataset"
TAG_COMMIT = "pennant.commit"
TAG_OWNER = "pennant.owner"
TAG_FLAVORS = "pennant.flavors"
TAG_SIGNATURE = "pennant.signature"

# Written by `lock`, and by `register` where it locks: the packages that the version runs with.
TAG_ENVIRONMENT = "pennant.environment"

# Written by whoever built an image for the version.
TAG_IMAGE = "pennant.image"

# Written by `promote` on the version that gets the alias, each followed by `.<alias>` or by
# `.stage.<stage>`: MLflow keeps no history of either, and stamps no time when an alias moves. The
# last is whose record it is, `<model>/<version>@<alias>`: MLflow copies a version with its tags.
TAG_PROMOTED_BY = "pennant.promoted-by"
TAG_PROMOTED_AT = "pennant.promoted-at"
TAG_PROMOTED_FROM = "pennant.promoted-from"
TAG_PROMOTED_AS = "pennant.promoted-as"
TAG_PROMOTED_OVERRIDE = "pennant.promoted-override"  # somebody's reason against the gates'

# Written by `rollback` on the version that loses the alias, likewise followed.
TAG_ROLLED_BACK_BY = "pennant.rolled-back-by"
TAG_ROLLED_BACK_AT = "pennant.rolled-back-at"
TAG_ROLLED_BACK_TO = "pennant.rolled-back-to"
TAG_ROLLED_BACK_AS = "pennant.rolled-back-as"

# Written by `hold` and `rollback` on the registered model, followed by `.<alias>` or by
# `.stage.<stage>`, and by `.<version>` where it is on one version only.
TAG_HOLD = "pennant.hold"

# Characters: MLflow 2 takes no longer value of a tag, and no MLflow a longer key.
TAG_VALUE_LIMIT = 5000
TAG_KEY_LIMIT = 250

# Where MLflow 2 serves from; Archived and None are no place to promote to.
STAGES = ("Staging", "Production")

# MLflow's column of version numbers; it fails on a higher one.
VERSION_LIMIT = 2**31 - 1

_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_ALIAS = re.compile(r"[\w-]{1,255}")
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)


def model_name_problem(name: str) -> str | None:
    """Why MLflow refuses this registered model name, or None."""
    if not name.strip():
        return "model name is empty: give the registered model's name"
    if bad := sorted(set(name) & set("/:")):
        return f"model name {name!r} contains {' '.join(bad)!r}: MLflow refuses '/' and ':'"
    if name == "." or name.startswith(".."):
        return f"model name {name!r} reads as a path: start it with a letter or a digit"
    return None


def version_problem(version: str | None) -> str | None:
    """Why no MLflow has a version of this number, or None."""
    if version is None or (_VERSION.fullmatch(version) and int(version) <= VERSION_LIMIT):
        return None
    return f"version {version!r} is no number from 1 to {VERSION_LIMIT}: write one, such as '7'"


def alias_problem(alias: str) -> str | None:
    """Why MLflow refuses this alias, or None. Aliases are case-sensitive."""
    if not _ALIAS.fullmatch(alias):
        return (
            f"alias {alias!r} is refused by MLflow: use 1 to 255 letters, digits, '_' or '-', "
            "such as 'production'"
        )
    if _RESERVED_ALIAS.fullmatch(alias):
        return f"alias {alias!r} is reserved by MLflow: choose another, such as 'production'"
    return None


def stage_suffix(stage: str) -> str:
    """Ends the keys of a stage's tags, as an alias does by itself: no alias holds a dot."""
    return f"stage.{stage}"


def tag_key_problem(key: str) -> str | None:
    """Why MLflow refuses this key of a tag, or None."""
    if len(key) > TAG_KEY_LIMIT:
        return (
            f"the tag {key[:40]}... would have {len(key)} characters, and MLflow takes no key of "
            f"more than {TAG_KEY_LIMIT}: choose a shorter alias"
        )
    return None


def stage_problem(stage: str) -> str | None:
    """Why nothing is promoted to this stage, or None."""
    if stage not in STAGES:
        return f"stage {stage!r} is none to serve from: use {' or '.join(map(repr, STAGES))}"
    return None
