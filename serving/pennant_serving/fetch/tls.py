"""Whom fetch trusts, and the certificate that it shows to the registry."""

from __future__ import annotations

import ssl
from pathlib import Path

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import Settings


def context(settings: Settings) -> ssl.SSLContext:
    """For connections to the registry. Raises PodError."""
    ca = settings.registry_ca
    # The operator always names the file; it is there when the registry has a caBundle.
    given = ca is not None and ca.is_file() and ca.stat().st_size
    try:
        made = ssl.create_default_context(cafile=ca if given else None)
    except OSError as error:
        message = f"PENNANT_REGISTRY_CA={ca} cannot be used: {error}"
        raise PodError(Reason.DOWNLOAD_FAILED, message) from error
    if settings.credentials.certificate is not None:
        _show(made, settings.credentials.certificate)
    return made


def _show(made: ssl.SSLContext, folder: Path) -> None:
    chain, key = folder / "tls.crt", folder / "tls.key"
    if not chain.is_file() and not key.is_file():
        return
    try:
        made.load_cert_chain(chain, key, password="")
    except (OSError, ValueError) as error:
        message = (
            f"tls.crt and tls.key of serving.credentialsSecret cannot be used ({error}): give it a"
            " certificate and its own key, in PEM and without a password"
        )
        raise PodError(Reason.CREDENTIALS_MISSING, message) from error
