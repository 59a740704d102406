"""The registry library against a server that fails at one step of what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_registry import errors
from pennant_testing.mlflow.lying_proxy import (
    ProxiedAnswer,
    ProxiedRequest,
    Proxy,
    error_500,
    login_page,
    lying_proxy,
    unauthorized,
)

pytestmark = pytest.mark.integration

ALIAS = "production"
SET_ALIAS, SET_TAG = "POST /registered-models/alias", "POST /model-versions/set-tag"
DOWNLOAD = "GET /mlflow-artifacts/artifacts/"


@pytest.fixture
def front(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What the library is configured for; `client` asks the server itself."""
    with lying_proxy(client.tracking_uri) as proxy:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.url)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        yield proxy


def is_step(request: ProxiedRequest, step: str) -> bool:
    method, _, path = step.partition(" ")
    return request.method == method and path in request.path


def failing(
    step: str, answer: Callable[[ProxiedRequest], ProxiedAnswer | None] = error_500
) -> Callable[[ProxiedRequest], ProxiedAnswer | None]:
    """Trouble with one step only."""
    return lambda request: answer(request) if is_step(request, step) else request.forward()


def forbidden(_: ProxiedRequest) -> ProxiedAnswer:
    body = b'{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}'
    return ProxiedAnswer(403, body)


def once(step: str, after: int) -> Callable[[ProxiedRequest], ProxiedAnswer | None]:
    """A refusal, which nobody tries again, of one request."""
    done = 0

    def trouble(request: ProxiedRequest) -> ProxiedAnswer | None:
        nonlocal done
        if not is_step(request, step):
            return request.forward()
        done += 1
        return forbidden(request) if done == after + 1 else request.forward()

    return trouble


def lost(request: ProxiedRequest) -> ProxiedAnswer | None:
    """It is done, and the connection ends before the answer."""
    request.forward()
    return None


def serving(client: MlflowClient, name: str) -> int:
    return int(client.get_model_version_by_alias(name, ALIAS).version)


def tags(client: MlflowClient, name: str, number: int) -> dict[str, str]:
    return dict(client.get_model_version(name, str(number)).tags)


@pytest.mark.parametrize("answer", [error_500, forbidden])
@pytest.mark.parametrize(
    ("step", "after"), [(SET_ALIAS, 0), (SET_TAG, 0), (SET_TAG, 1), (SET_TAG, 3)]
)
def test_a_promotion_that_fails_moves_nothing_and_leaves_no_record(
    front: Proxy,
    client: MlflowClient,
    registered: Callable[..., int],
    name: str,
    step: str,
    after: int,
    answer: Callable[[ProxiedRequest], ProxiedAnswer],
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, ALIAS)
    before = tags(client, name, second)
    # A server that takes no tag takes none back: there it is one failure.
    front.fail(failing(step, answer) if step == SET_ALIAS else once(step, after))
    with pytest.raises(errors.RegistryError):
        pennant_registry.promote(second, name, ALIAS)
    assert (serving(client, name), tags(client, name, second)) == (first, before)
    front.recover()
    assert pennant_registry.promote(second, name, ALIAS).previous == first
    assert pennant_registry.rollback(name, ALIAS).version == first


def test_a_rollback_that_fails_moves_nothing_and_leaves_the_records_as_they_were(
    front: Proxy, client: MlflowClient, registered: Callable[..., int], name: str
):
    for content in ("one", "two"):
        pennant_registry.promote(registered(content), name, ALIAS)
    pennant_registry.rollback(name, ALIAS)
    pennant_registry.release(name, ALIAS, version=2)
    pennant_registry.promote(2, name, ALIAS)
    before = tags(client, name, 2)
    front.fail(failing(SET_ALIAS))
    with pytest.raises(errors.RegistryUnreachableError):
        pennant_registry.rollback(name, ALIAS)
    assert (serving(client, name), tags(client, name, 2)) == (2, before)
    assert client.get_registered_model(name).tags == {}


def test_a_promotion_that_fails_lets_nothing_through_a_hold(
    front: Proxy, client: MlflowClient, registered: Callable[..., int], name: str
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, ALIAS)
    pennant_registry.hold(name, ALIAS, "incident 12")
    before = client.get_registered_model(name).tags
    front.fail(failing(SET_ALIAS))
    with pytest.raises(errors.RegistryUnreachableError):
        pennant_registry.promote(second, name, ALIAS, override="a fix")
    assert (serving(client, name), client.get_registered_model(name).tags) == (1, before)


def test_a_promotion_of_which_only_the_answer_was_lost_keeps_its_record(
    front: Proxy, client: MlflowClient, registered: Callable[..., int], name: str
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, ALIAS)
    front.fail(failing(SET_ALIAS, lost))
    with pytest.raises(errors.RegistryUnreachableError):
        pennant_registry.promote(second, name, ALIAS)
    assert serving(client, name) == second
    front.recover()
    assert pennant_registry.promote(second, name, ALIAS).previous == first


def test_a_record_that_cannot_be_taken_back_is_named(
    front: Proxy, client: MlflowClient, registered: Callable[..., int], name: str
):
    number = registered()

    def trouble(request: ProxiedRequest) -> ProxiedAnswer | None:
        broken = is_step(request, SET_ALIAS) or request.method == "DELETE"
        return error_500(request) if broken else request.forward()

    front.fail(trouble)
    with pytest.raises(errors.RegistryUnreachableError) as raised:
        pennant_registry.promote(number, name, ALIAS)
    assert f"delete the tags pennant.promoted-by.{ALIAS}" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    "answer", [error_500, unauthorized, lost, None], ids=lambda a: getattr(a, "__name__", "never")
)
def test_a_download_that_fails_is_given_up_after_two_attempts(
    front: Proxy,
    registered: Callable[..., int],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[ProxiedRequest], ProxiedAnswer | None] | None,
):
    pennant_registry.promote(registered(), name, ALIAS)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")

    def silent(request: ProxiedRequest) -> None:
        request.proxy.ended.wait(20)

    front.fail(failing(DOWNLOAD, answer or silent))
    front.asked.clear()
    with pytest.raises(errors.RegistryUnreachableError):
        pennant_registry.load_production(name, ALIAS)
    path = DOWNLOAD.partition(" ")[2]
    assert 1 <= len([each for each in front.asked if path in each]) <= 2


def test_registering_what_cannot_be_downloaded_makes_no_version(
    front: Proxy, client: MlflowClient, run: Callable[..., str], name: str
):
    run_id = run()
    front.fail(failing(DOWNLOAD))
    with pytest.raises(errors.RegistryUnreachableError):
        pennant_registry.register(run_id, "model.pkl", name)
    assert client.search_model_versions(f"name='{name}'") == []


STEPS = (
    *("GET /runs/get", "GET /mlflow-artifacts/artifacts?path"),
    *("POST /registered-models/create", "POST /model-versions/create"),
)


@pytest.mark.parametrize("answer", [error_500, forbidden, login_page, lost])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_fails_while_registering_is_an_error_of_this_library(
    front: Proxy,
    run: Callable[..., str],
    name: str,
    step: str,
    answer: Callable[..., ProxiedAnswer],
):
    run_id = run()
    front.fail(failing(step, answer))
    with pytest.raises(errors.RegistryError):
        pennant_registry.register(run_id, "model.pkl", name)
