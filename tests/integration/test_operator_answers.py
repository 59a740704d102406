"""What MLflow answers about one model is that ModelDeployment's state: no other's, and no lie.

A real operator, API server and MLflow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.tenants import Tenant, registry_ready, tenants, wait_for_polls
from pennant_testing.mlflow.lying_proxy import lying_proxy
from pennant_testing.running.side_by_side import Begun, beside
from pennant_testing.waiting import still, until

pytestmark = pytest.mark.integration

NO_RUN = "0" * 32
# Each is a name to the API server; MLflow has its own mind about most.
NAMES = (
    *("a\nb", "a\tb", "a\x00b", "a'b", 'a"b', "a`b", "a\\b", "a%b", "a,b", "~", "#", "*", "{}"),
    *("%2e%2e", "%2F", "?name=x&y=1", "') OR ('", "a' AND name='b", " a ", ".a", "é", "\U0001f600"),
    *("x" * 250, "\u4e00" * 250, "\x7f", "\u200b", "\u2028x", "$(x)", "{{x}}", "-", "a..", "null"),
)
LETTERS = "ab .,;'\"`\\%&?#=+~*(){}[]<>|@$^-_\t\n\r\x00\x1f\x85\u00a0\u2028\ufeff\U0001f600é"


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest, running: Operator, objects: Objects, mlflow_url: str
) -> Iterator[Begun]:
    with tenants(request, running, objects, mlflow_url, Tenant.own_registry) as tests:
        yield tests


@beside
def test_an_alias_at_a_version_without_a_run_is_told_and_moves_nothing(of: Tenant):
    of.follow("rec")
    of.stage.serves("rec", "1")
    children = of.stage.written()
    source = f"runs:/{NO_RUN}/newsreco.pkl"
    of.mlflow.client.create_model_version(of.model, source, NO_RUN)
    of.mlflow.promote(of.model, "2")
    of.stage.sees("rec", lambda seen: seen.reason("AliasInSync") == "VersionNotResolved")
    seen = still(lambda: of.stage.view("rec"))
    assert (seen.serving, seen.summary) == ("1", "Serving")
    assert seen.status["desired"]["version"] == "2"
    assert (seen.reason("Ready"), seen.reason("Stalled")) == ("Serving", "NotStalled")
    message = seen.condition("AliasInSync")["message"]
    assert message.startswith("alias production points at version 2, and ModelRegistry")
    assert message.endswith("; version 1 goes on serving")
    assert of.stage.written() == children
    assert registry_ready(of.stage.objects, of.model)["status"] == "True"
    drift = f'pennant_alias_drift_seconds{{name="rec",namespace="of-{of.model}"'
    assert of.running.metric(f'{drift},reason="VersionNotResolved"}}') > 0
    of.follow("young")
    of.stage.sees("young", lambda seen: seen.reason("AliasInSync") == "VersionNotResolved")
    assert of.stage.view("young").summary == "Waiting"
    assert of.stage.view("rec").serving == "1"
    of.mlflow.promote(of.model, of.mlflow.register(of.model))
    until(lambda: of.stage.all_serve("3", ["rec", "young"]))


@beside
def test_an_alias_that_is_removed_and_set_again_at_once_takes_nothing_down(of: Tenant):
    client = of.mlflow.client
    with lying_proxy(of.url) as proxy:
        of.stage.registry(of.model, proxy.url)
        of.follow("rec", onAliasRemoved="ScaleDown")
        of.stage.serves("rec", "1")
        before, children = of.stage.view("rec").reasons(), of.stage.written()
        for _ in range(4):
            client.delete_registered_model_alias(of.model, "production")
            wait_for_polls(proxy)
            of.mlflow.promote(of.model, "1")
            wait_for_polls(proxy)
            assert of.stage.view("rec").reasons() == before
        assert of.stage.written() == children
        client.delete_registered_model_alias(of.model, "production")
        of.stage.sees("rec", lambda seen: seen.reason("Ready") == "ScaledDown")
        of.mlflow.promote(of.model, "1")
        of.stage.serves("rec", "1")


@beside
def test_no_name_or_version_that_one_tenant_writes_changes_anything_for_another(of: Tenant):
    of.follow("good")
    of.stage.serves("good", "1")
    before = still(lambda: of.stage.view("good").live["metadata"]["resourceVersion"])
    chosen = random.Random(13)
    drawn = ["".join(chosen.choices(LETTERS, k=chosen.randint(1, 12))) for _ in range(60)]
    names = [*NAMES, *(name for name in drawn if name.strip() and not name.startswith(".."))]
    names = [name for name in names if name != "."]
    asked = [{"name": name, "alias": "production"} for name in names]
    asked += [{"name": name, "version": "2147483647"} for name in (of.model, *names[:20])]
    asked += [{"name": of.model, "alias": alias} for alias in ("Production", "-", "x" * 255)]
    odd = {f"odd-{number}": model for number, model in enumerate(asked)}
    for name, model in odd.items():
        of.stage.apply(name, of.model, registry=of.model, model=model)

    def is_explained() -> bool:
        seen = of.stage.views()
        return all(
            seen[name].reason("AliasInSync") not in {None, "WaitingForRegistry"} for name in odd
        )

    until(is_explained)
    still(lambda: [seen.reasons() for seen in of.stage.views().values()], 8)
    seen = of.stage.views()
    stalled = [name for name in odd if seen[name].summary != "Waiting"]
    assert [(odd[name], seen[name].condition("Stalled")) for name in stalled] == []
    assert seen["good"].live["metadata"]["resourceVersion"] == before
    assert registry_ready(of.stage.objects, of.model)["status"] == "True"
    changes = registry_ready(of.stage.objects, of.model)["lastTransitionTime"]
    of.mlflow.promote(of.model, of.mlflow.register(of.model))
    of.stage.serves("good", "2")
    assert registry_ready(of.stage.objects, of.model)["lastTransitionTime"] == changes
