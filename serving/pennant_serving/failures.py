"""Why a container of a model pod gave up, in the words that the operator decides by."""

from __future__ import annotations

import json
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Any

# The kubelet keeps this much of a termination message.
MESSAGE_BYTES = 4096


class Reason(StrEnum):
    """Every reason a termination message may give."""

    BUNDLE_MISSING = "BundleMissing"
    """MLflow, or the store, itself says that the version's files are not there."""
    CREDENTIALS_MISSING = "CredentialsMissing"
    """The registry or the store refused us: no credentials, wrong ones, or without the right."""
    DIGEST_MISMATCH = "DigestMismatch"
    """The bytes, or the version on the volume, are not those that were promoted."""
    DOWNLOAD_FAILED = "DownloadFailed"
    """The world's fault: network, time-outs, 5xx, or something that is not MLflow answering."""
    ENVIRONMENT_MISMATCH = "EnvironmentMismatch"
    """The bundle asks for another environment than there is."""
    LOAD_FAILED = "LoadFailed"
    """The bundle cannot be loaded by its adapter."""
    REHEARSAL_FAILED = "RehearsalFailed"
    """The model does not answer the newest requests as the version before it did."""
    SELF_TEST_FAILED = "SelfTestFailed"
    """The model cannot answer its own input example."""
    SOURCE_NOT_ALLOWED = "SourceNotAllowed"
    """The source is outside what the registry's administrator allows."""
    START_FAILED = "StartFailed"
    """The server could not start: a setting, or the port."""


class PodError(Exception):
    """Ends the container with a reason and one sentence: the case, why, and what to do."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def failure_message(error: PodError) -> bytes:
    """The termination message of a failure, cut to what the kubelet keeps."""
    text = error.message
    while len(encoded := _encode({"reason": error.reason.value, "message": text})) > MESSAGE_BYTES:
        text = text[: len(text) * MESSAGE_BYTES // len(encoded) - 1]
    return encoded


def print_cause(error: PodError) -> None:
    """Whose code it was, for the person who reads the log."""
    if error.__cause__:
        traceback.print_exception(error.__cause__)


def report_failure(error: PodError, log: Path) -> None:
    """Write the reason where the kubelet reads it, and on standard output for people."""
    print(f"{error.reason}: {error.message}", flush=True)
    _write(failure_message(error), log)


def report_success(facts: dict[str, Any], log: Path) -> None:
    """Write what was done where the kubelet reads it."""
    _write(_encode(facts), log)


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def _write(message: bytes, log: Path) -> None:
    try:
        log.write_bytes(message)
    except OSError as error:  # outside a pod there is no such file, and the exit code still tells
        print(f"termination message not written to {log}: {error.strerror}", flush=True)
