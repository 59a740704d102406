"""What an error of an object store means: the model's fault, the credentials', or the world's.

Only the store's own code for a missing object makes a version look broken: a missing bucket is a
setting, and a 404 of something on the way is trouble.
"""

from __future__ import annotations

import re

from pennant_serving.failures import PodError, Reason

EXCERPT_CHARACTERS = 300
"""Characters of a foreign answer that go into a message."""
MISSING = ("NoSuchKey", "BlobNotFound")
NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "AuthorizationHeaderMalformed")
REFUSED = re.compile(r"code: 40[13]\b|<Code>(ExpiredToken|InvalidToken|XAdminUserNotFound)<")
# The addresses that answer for a node's, a pod's or a service account's identity.
NO_IDENTITY = re.compile(
    r"/latest/(api/token|meta-data)|169\.254\.|computeMetadata|//sts\.|/oauth2/"
)
CERTIFICATE = re.compile(r"InvalidCertificate\(\s*(\w+)")
CAUSE = re.compile(r'message: "([^"]+)"|(failed to lookup address[^"\n]*)|(operation timed out)')


def explained(source: str, error: Exception) -> PodError:
    """The error to end with."""
    # Behind this the library prints its own structures, for developers.
    text = str(error)
    first, _, debug = text.partition("\n\nDebug ")
    code = _element("Code", first)
    words = _words(first, debug)
    problem = f"{source}: {words}"
    if isinstance(error, FileNotFoundError) and code in MISSING:
        return PodError(Reason.BUNDLE_MISSING, f"there is nothing at {source}")
    if NO_IDENTITY.search(first):
        problem = f"{source}: no credentials, and no cloud identity answers ({words})"
        advice = "set serving.credentialsSecret, or serviceAccountName to one with an identity"
        return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")
    if REFUSED.search(first):
        advice = "check serving.credentialsSecret, or the pod's cloud identity"
        return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")
    if code in NO_BUCKET:
        advice = "check spec.artifacts.root of the ModelRegistry, and endpoint and region"
        return PodError(Reason.DOWNLOAD_FAILED, f"{problem}: {advice}")
    if distrust := CERTIFICATE.search(debug):
        problem = f"{source}: the store's certificate is not trusted ({distrust[1]})"
        return PodError(Reason.DOWNLOAD_FAILED, f"{problem}: set the registry's caBundle")
    return PodError(Reason.DOWNLOAD_FAILED, problem)


def _words(first: str, debug: str) -> str:
    """The store's own code and words where it answered; else the library's, and the cause."""
    code, message = _element("Code", first), _element("Message", first)
    if code:
        return f"{code}: {message}"
    cause = CAUSE.search(debug)
    words = " ".join(first.split())[:EXCERPT_CHARACTERS]
    return f"{words}: {next(filter(None, cause.groups()))}" if cause else words


def _element(name: str, answer: str) -> str:
    match = re.search(f"<{name}>([^<]*)</{name}>", answer)
    return " ".join(match[1].split())[:EXCERPT_CHARACTERS] if match else ""
