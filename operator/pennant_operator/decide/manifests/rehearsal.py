"""What a pod needs for a rehearsal: how, where to ask for requests, and the token that opens them.

It is in the template of a revision that is rendered while `spec.rollout.rehearsal` is set, and
nowhere else: setting it rolls nothing, and is no part of a revision's identity.
"""

from typing import Any

from pennant_operator.decide.manifests.container import env_from_config, env_value
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Spec

TOKEN_KEY = "token"  # noqa: S105 -- of the Secret, not what is in it
REQUESTS_VARIABLE = "PENNANT_REHEARSAL_REQUESTS"
_UID_CHARACTERS = 8  # of the owner's: who is made again under its name gets a token of its own


def rehearsal_env(spec: Spec, revision: str) -> list[dict[str, Any]]:
    """The variables of `serve`; none without a rehearsal."""
    if spec.rehearsal is None:
        return []
    secret = {"name": token_secret_name(spec), "key": TOKEN_KEY, "optional": True}
    return [
        env_value(REQUESTS_VARIABLE, str(spec.rehearsal.requests)),
        env_value("PENNANT_REHEARSAL_ERRORS", spec.rehearsal.errors),
        env_value("PENNANT_REHEARSAL_SLOWER", spec.rehearsal.slower),
        env_value("PENNANT_REHEARSAL_AGREEMENT", spec.rehearsal.agreement),
        env_value("PENNANT_REHEARSAL_ADDRESS", f"{spec.name}:80"),
        {"name": "PENNANT_REHEARSAL_TOKEN", "valueFrom": {"secretKeyRef": secret}},
        env_from_config(
            "PENNANT_HAD_TRAFFIC", f"{spec.name}-digests", traffic_mark(revision), optional=True
        ),
    ]


def traffic_mark(revision: str) -> str:
    """The key, beside the pinned digests, that says that a revision had the traffic: its pods
    rehearse nothing any more."""
    return f"had-traffic.{revision}"


def token_secret_name(spec: Spec) -> str:
    """Of the Secret that the pods of this ModelDeployment share."""
    return f"{spec.name}-rehearsal-{spec.uid[:_UID_CHARACTERS]}"


def rehearses(record: Record) -> bool:
    """Whether the pods of a recorded revision remember requests, and rehearse. A record's
    environment may be anything.
    """
    env = record.container.get("env")
    variables = [each for each in env if isinstance(each, dict)] if isinstance(env, list) else ()
    return any(each.get("name") == REQUESTS_VARIABLE for each in variables)
