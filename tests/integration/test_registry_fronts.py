"""A registry behind what companies put before one: client certificates, a prefix, a proxy.

Both who ask it, the operator and `fetch`, over real sockets: to a real MLflow where it answers, and
to what stands before it where it does not.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennant_dev.ports import free_port
from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.link import Link
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings
from pennant_testing.certificates import Authority, CertificatePair
from pennant_testing.mlflow.mlflow_server import Mlflow, mlflow_server
from pennant_testing.mlflow.recording_server import recorder, registry
from pennant_testing.mlflow.tls_and_proxies import ForwardProxy, forward_proxy, tls_front

pytestmark = pytest.mark.integration

PREFIX = "/ml/mlflow"
WATCH = Watch("default", "fronted", alias="production")
PROXY_USER = {"PROXY_USERNAME": "operator", "PROXY_PASSWORD": "of-the-proxy"}
PROXY_HEADER = "Basic " + base64.b64encode(b"operator:of-the-proxy").decode()
TOKEN = {"MLFLOW_TRACKING_TOKEN": "the-token-of-it"}
ENVIRONMENT = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True)
class Fronted:
    """A server's address and authority, and a certificate that it lets in."""

    url: str
    authority: Authority
    client: CertificatePair

    @property
    def pem(self) -> str:
        return self.authority.own.crt


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow below a path."""
    with mlflow_server(tmp_path_factory.mktemp("prefixed"), prefix=PREFIX) as url:
        mlflow = Mlflow(url)
        mlflow.promote("fronted", mlflow.register("fronted"))
        yield url


@pytest.fixture(scope="module")
def fronted(prefixed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    """It, behind TLS that wants a client certificate."""
    authority = Authority()
    trust = authority.demanding(tmp_path_factory.mktemp("front"), authority.issue("server"))
    with tls_front(prefixed, trust) as url:
        yield Fronted(f"{url}{PREFIX}", authority, authority.issue("operator"))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardProxy]:
    """What the environment says is the proxy, and is nobody's business."""
    with forward_proxy() as proxy:
        for name in ENVIRONMENT:
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "*")
        yield proxy


def operator_asks(url: str, secret: dict[str, str] | None = None, **spec: Any) -> Known:
    """What the operator knows after a poll; raises RegistryTroubleError."""

    async def polled() -> Known:
        async def read(_: str) -> dict[str, str]:
            return secret or {}

        if secret is not None:
            spec["credentialsSecret"] = "mlflow"
        known = Known()
        given = parse_registry({"metadata": {"name": "default"}, "spec": {"url": url, **spec}})
        line = Link(given, known, read, lambda _status, _seconds: None)
        try:
            await line.ask([WATCH])
        finally:
            await line.drop()
        return known

    return asyncio.run(polled())


def fetches(url: str, folder: Path, source: str, ca: str = "", **env: str) -> Path:
    """The bundle in a folder, fetched as a pod does; raises PodError."""
    (folder / "ca.crt").write_text(ca)
    variables = {
        "PENNANT_MODEL_NAME": "fronted",
        "PENNANT_MODEL_VERSION": "1",
        "PENNANT_MODEL_SOURCE": source,
        "PENNANT_MODEL_PATH": str(folder / "bundle"),
        "PENNANT_REGISTRY_URL": url,
        "PENNANT_REGISTRY_CA": str(folder / "ca.crt"),
        "PENNANT_FETCH_PATIENCE": "0.3",
    }
    fetch(FetchSettings.from_env(variables | env))
    return folder / "bundle"


def test_certificate_prefix_and_proxy_lead_to_the_registry_and_its_bytes(
    fronted: Fronted, elsewhere: ForwardProxy, tmp_path: Path
):
    secret = fronted.client.secret | PROXY_USER | TOKEN
    with forward_proxy(PROXY_HEADER) as proxy:
        known = operator_asks(fronted.url, secret, caBundle=fronted.pem, proxy=proxy.url)
        answer = known.state(WATCH)
        assert isinstance(answer, ModelVersion)
        by_operator = len(proxy.asked)
        env = secret | {"PENNANT_REGISTRY_PROXY": proxy.url}
        bundle = fetches(fronted.url, tmp_path, answer.source, fronted.pem, **env)
    assert (bundle / "newsreco.pkl").read_text() == "a model"
    assert 0 < by_operator < len(proxy.asked)
    assert {line.split(" ")[0] for line in proxy.asked} == {"CONNECT"}
    # It sees where they go, and nothing of what is said; nobody else sees even that.
    seen = bytes(proxy.seen)
    assert b"newsreco" not in seen
    assert b"the-token-of-it" not in seen
    assert set(proxy.authorizations) == {PROXY_HEADER}
    assert (elsewhere.asked, proxy.refused) == ([], [])


def test_without_tls_the_proxy_hands_on_and_keeps_its_own_credentials(tmp_path: Path):
    artifact = "mlflow-artifacts:/1/run/artifacts/m"
    secret = PROXY_USER | TOKEN
    with recorder(registry) as right, forward_proxy(PROXY_HEADER) as proxy:
        operator_asks(right.url, secret, proxy=proxy.url)
        asked = len(right.paths)
        env = secret | {"PENNANT_REGISTRY_PROXY": proxy.url}
        fetches(right.url, tmp_path, artifact, **env)
    assert 0 < asked < len(right.paths)
    assert right.credentials == {"Bearer the-token-of-it"}
    assert b"of-the-proxy" not in proxy.seen
    assert base64.b64encode(b"operator:of-the-proxy") not in proxy.seen


def test_certificates_are_read_again_when_they_change(
    fronted: Fronted, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pennant_operator.observe.poll.link.SECRET_REREAD_SECONDS", 0.0)
    secret = dict(Authority("another").issue("operator").secret)

    async def scenario() -> None:
        async def read(_: str) -> dict[str, str]:
            return dict(secret)

        named = {"url": fronted.url, "credentialsSecret": "mlflow", "caBundle": fronted.pem}
        known = Known()
        given = parse_registry({"metadata": {"name": "default"}, "spec": named})
        line = Link(given, known, read, lambda _status, _seconds: None)
        try:
            with pytest.raises(RegistryTroubleError, match="client certificate"):
                await line.ask([WATCH])
            await line.drop()
            secret.update(fronted.client.secret)
            await line.ask([WATCH])
            assert isinstance(known.state(WATCH), ModelVersion)
            # It is withdrawn, while connections are open that would do.
            secret.update(Authority("another").issue("operator").secret)
            with pytest.raises(RegistryTroubleError, match="client certificate"):
                await line.ask([WATCH])
        finally:
            await line.drop()

    asyncio.run(scenario())


# What does not work is told, with what to do about it.


@dataclass(frozen=True)
class Case:
    """What is given, and what the operator and a pod say to it."""

    secret: dict[str, str]
    operator: str
    pod: str
    reason: Reason = Reason.CREDENTIALS_MISSING
    ca: str | None = None  # instead of the server's authority


def cases(fronted: Fronted) -> dict[str, Case]:
    own, strange = fronted.client, Authority("another")
    half = {"tls.crt": own.crt}
    unlike = {"tls.crt": own.crt, "tls.key": strange.issue("operator").pem_key}
    torn = {"tls.crt": own.crt[:100], "tls.key": own.pem_key}
    asks, gives = "asks for another client certificate", "tls.crt and tls.key that the server"
    together = "cannot be used"
    untrusted = "into spec.caBundle"
    return {
        "none": Case(TOKEN, asks, gives),
        "expired": Case(fronted.authority.issue("old", days=-1).secret, "EXPIRED", "EXPIRED"),
        "another authority's": Case(strange.issue("operator").secret, asks, gives),
        "half a pair": Case(half, "holds tls.crt and no tls.key: give it both", together),
        "another's key": Case(unlike, together, together),
        "unreadable": Case(torn, together, together),
        "wrong CA": Case(
            own.secret,
            untrusted,
            "set the registry's caBundle",
            Reason.DOWNLOAD_FAILED,
            strange.own.crt,
        ),
        "no CA": Case(own.secret, untrusted, "registry's caBundle", Reason.DOWNLOAD_FAILED, ""),
        "garbage": Case(
            own.secret, "caBundle holds no cert", "PENNANT_REGISTRY_CA", Reason.DOWNLOAD_FAILED, "é"
        ),
    }


CASES = (
    *("none", "expired", "another authority's", "half a pair", "another's key", "unreadable"),
    *("wrong CA", "no CA", "garbage"),
)


@pytest.mark.parametrize("name", CASES)
def test_a_certificate_that_does_not_do_is_told(fronted: Fronted, name: str, tmp_path: Path):
    case = cases(fronted)[name]
    ca = fronted.pem if case.ca is None else case.ca
    with pytest.raises(RegistryTroubleError, match=case.operator):
        operator_asks(fronted.url, case.secret, caBundle=ca)
    with pytest.raises(PodError, match=case.pod) as refused:
        fetches(fronted.url, tmp_path, "mlflow-artifacts:/1/x", ca, **case.secret)
    assert refused.value.reason is case.reason


@pytest.mark.parametrize(
    ("issued", "message"),
    [({"days": -1}, "renewed"), ({"address": "127.0.0.2"}, "a name that the certificate is for")],
    ids=["expired", "of another name"],
)
def test_a_servers_certificate_that_does_not_do_is_told(
    issued: dict[str, Any], message: str, tmp_path: Path
):
    authority = Authority()
    trust = authority.demanding(tmp_path, authority.issue("server", **issued))
    with (
        tls_front("http://127.0.0.1:9", trust) as url,
        pytest.raises(RegistryTroubleError, match=message),
    ):
        operator_asks(url, authority.issue("operator").secret, caBundle=authority.own.crt)


@pytest.mark.parametrize("secret", [TOKEN, TOKEN | PROXY_USER | {"PROXY_PASSWORD": "old"}])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_proxy_that_refuses_is_told(
    fronted: Fronted, encrypted: bool, secret: dict[str, str], tmp_path: Path
):
    url = fronted.url if encrypted else "http://127.0.0.1:9"
    with forward_proxy(PROXY_HEADER) as proxy:
        with pytest.raises(RegistryTroubleError, match="PROXY_USERNAME and PROXY_PASSWORD into"):
            operator_asks(url, secret, proxy=proxy.url)
        variables = secret | {"PENNANT_REGISTRY_PROXY": proxy.url}
        with pytest.raises(PodError, match="PROXY_USERNAME and PROXY_PASSWORD into") as refused:
            fetches(url, tmp_path, "mlflow-artifacts:/1/x", **variables)
    assert refused.value.reason is Reason.CREDENTIALS_MISSING
    assert proxy.asked == []
    assert not [header for header in proxy.authorizations if "Bearer" in header]


def test_a_proxy_that_is_not_there_is_told(fronted: Fronted):
    with pytest.raises(RegistryTroubleError, match="see that it runs, and that spec"):
        operator_asks(fronted.url, proxy=f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("token", ["two\nlines", "a token", "ключ"])
def test_a_token_that_is_none_is_told_and_ends_nothing(fronted: Fronted, token: str):
    secret = {"MLFLOW_TRACKING_TOKEN": token}
    with pytest.raises(RegistryTroubleError, match="a space or line break in it"):
        operator_asks(fronted.url, secret)


def test_the_line_break_at_the_end_of_a_secrets_value_is_not_meant():
    with recorder(registry) as right:
        operator_asks(right.url, {"MLFLOW_TRACKING_TOKEN": "the-token-of-it\n"})
    assert right.credentials == {"Bearer the-token-of-it"}
