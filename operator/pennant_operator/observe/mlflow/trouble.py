"""What went wrong on the way to a registry, and what a person can do about it."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp

from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.observe.mlflow.credentials import CERTIFICATE, PRIVATE_KEY

OTHER_NAME = 62  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH
OTHER_ADDRESS = 64
EXPIRED = 10
SHOWN = f"{CERTIFICATE} and {PRIVATE_KEY} into the Secret that spec.credentialsSecret names"


class RegistryTroubleError(Exception):
    """No answer that anything may be concluded from (law 2); says what to do about it."""


class NotAllowedError(RegistryTroubleError):
    """The registry answers, and does not let this account see what it was asked for.

    Where it does not let the account see anything, that is trouble with the registry.
    """


class MlflowRefusedError(RegistryTroubleError):
    """MLflow's own word that what it was asked cannot be; `answer` is that word alone."""

    def __init__(self, answer: str) -> None:
        super().__init__(
            f"MLflow refuses what the operator asks ({answer}): see that it is MLflow 2.3 or "
            "newer, with a registry."
        )
        self.answer = answer


class NoFileError(RegistryTroubleError):
    """No file came of where a version's bytes are said to be; says what came in its place."""


class TooSlowError(RegistryTroubleError):
    """No answer within the time of a request: asked again at once, it would take as long again."""


def cause(why: Exception) -> str:
    """The least that tells what happened, for a message with a cure of its own."""
    if isinstance(why, NotAllowedError):
        return "403"
    if isinstance(why, MlflowRefusedError):
        return why.answer.rstrip(". ")
    if isinstance(why, RegistryTroubleError):
        return str(why).rstrip(". ")
    return f"the operator fails: {why!r:.200}"


def no_connection(spec: RegistrySpec, error: Exception) -> str:
    """What an exception of a request means."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, aiohttp.ClientHttpProxyError):
            return proxy_refuses(spec, cause.status, cause.message)
        if isinstance(cause, aiohttp.ClientProxyConnectionError):
            return (
                f"the proxy {spec.proxy} cannot be reached ({cause.os_error}): see that it runs, "
                "and that spec.proxy is right."
            )
        if isinstance(cause, aiohttp.ClientConnectorCertificateError):
            return _untrusted(spec, cause.certificate_error)
        if isinstance(cause, ssl.SSLError) and "alert" in str(cause).lower():
            return client_certificate(spec, str(cause.reason or cause))
    return (
        f"{spec.url} cannot be reached ({error}): see that MLflow runs there, and that spec.url is "
        "right."
    )


def proxy_refuses(spec: RegistrySpec, status: int, message: str) -> str:
    """What an answer of the proxy itself means."""
    if status == 407:
        return (
            f"the proxy {spec.proxy} asks who is there (407): put PROXY_USERNAME and "
            "PROXY_PASSWORD into the Secret that spec.credentialsSecret names."
        )
    return (
        f"the proxy {spec.proxy} makes no connection to {urlsplit(spec.url).netloc} ({status}: "
        f"{message}): have it allow that, or correct spec.proxy."
    )


def client_certificate(spec: RegistrySpec, why: str) -> str:
    """The server, or what stands before it, does not take the certificate shown to it."""
    return (
        f"{spec.url} asks for another client certificate ({why}): put {SHOWN}, in date and signed "
        "by an authority that the server trusts."
    )


def _untrusted(spec: RegistrySpec, error: Exception) -> str:
    cure, code = "write the certificate of the authority that signed it into spec.caBundle", 0
    if isinstance(error, ssl.SSLCertVerificationError):
        code, error = error.verify_code, Exception(error.verify_message)
    if code == EXPIRED:
        cure = "have the server's certificate, or its authority's, renewed"
    if code in {OTHER_NAME, OTHER_ADDRESS}:
        cure = "write a name that the certificate is for into spec.url"
    return f"{spec.url} has a certificate that is not trusted ({error}): {cure}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it was made of: aiohttp keeps some as arguments only."""
    seen: list[BaseException] = [error]
    while seen:
        yield (each := seen.pop())
        parts = (each.__cause__, each.__context__, *each.args)
        seen += [part for part in parts if isinstance(part, BaseException)]
