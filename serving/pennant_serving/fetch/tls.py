"""Whom fetch trusts, and the certificate that it shows to the registry and to nobody else."""

from __future__ import annotations

import os
import ssl

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import Credentials, FetchSettings


def context(settings: FetchSettings, credentials: Credentials) -> ssl.SSLContext:
    """For connections that show these credentials' certificate, if any. Raises PodError."""
    ca = settings.registry_ca
    try:
        made = ssl.create_default_context(cafile=ca)
    except OSError as error:
        message = f"PENNANT_REGISTRY_CA={ca} cannot be used: {error}"
        raise PodError(Reason.DOWNLOAD_FAILED, message) from error
    _show(made, credentials)
    return made


def _show(made: ssl.SSLContext, credentials: Credentials) -> None:
    chain, key = credentials.certificate, credentials.key
    if chain is None and key is None:
        return
    # OpenSSL takes files only. This one is in memory: the key is on no volume.
    with os.fdopen(os.memfd_create("client-certificate"), "w") as file:
        file.write(f"{chain or ''}\n{key or ''}\n")
        file.flush()
        try:
            made.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password="")
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or type(error).__name__
            message = (
                f"tls.crt and tls.key of serving.credentialsSecret cannot be used ({why}): give it"
                " a certificate and its own key, in PEM and without a password"
            )
            raise PodError(Reason.CREDENTIALS_MISSING, message) from error
