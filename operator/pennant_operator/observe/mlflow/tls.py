"""Whom the operator trusts, and the certificate that it shows, when it asks a registry."""

import os
import ssl

from pennant_operator.observe.mlflow.credentials import CERTIFICATE, PRIVATE_KEY, UnusableError


class UntrustableError(ValueError):
    """A CA that cannot be read."""


def context(ca_bundle: str, certificate: tuple[str, str] | None) -> ssl.SSLContext:
    """For connections to one registry; raises UntrustableError and UnusableError."""
    made = _trusting(ca_bundle)
    if certificate is not None:
        _show(made, *certificate)
    return made


def _trusting(ca_bundle: str) -> ssl.SSLContext:
    # Comments between certificates may be in any alphabet; OpenSSL takes ASCII.
    plain = ca_bundle.encode("ascii", "replace").decode()
    try:
        return ssl.create_default_context(cadata=plain or None)
    except ssl.SSLError as error:
        raise UntrustableError(
            f"spec.caBundle holds no certificate that can be read ({error}): write PEM."
        ) from error


def _show(made: ssl.SSLContext, chain: str, key: str) -> None:
    # OpenSSL takes files only. This one is in memory: the key is on no disk.
    with os.fdopen(os.memfd_create("client-certificate"), "w") as file:
        file.write(f"{chain}\n{key}\n")
        file.flush()
        try:
            made.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            why = getattr(error, "reason", None) or type(error).__name__
            raise UnusableError(
                f"holds a {CERTIFICATE} and {PRIVATE_KEY} that cannot be used together ({why}): "
                "give it a certificate and its own key, in PEM and without a password."
            ) from error
