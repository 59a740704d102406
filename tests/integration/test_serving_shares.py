"""A share of the requests of one real serving process, handed over to another one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from pennant_dev.ports import free_port
from pennant_testing.running.generated_examples import FACTOR
from pennant_testing.serving.serving_process import JSON, Serving, worker_pids
from pennant_testing.serving.shared_traffic import BODY, SharingPod, linear, sharing
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

REQUESTS = round(5_000 * FACTOR)
"""Of one share: half of them on a connection that is kept, half on fresh ones."""


@dataclass
class Pair:
    """Version 7, and its candidate."""

    serves: SharingPod
    candidate: Serving

    def hands_over(self, percent: str, **more: object) -> None:
        self.serves.hands_over(self.candidate.port, percent, **more)

    def settle(self) -> None:
        """Nothing is shared: all was, and now nothing is."""
        self.hands_over("100")
        until(lambda: set(self.serves.versions(20)) == {"8"})
        self.serves.asks()
        until(lambda: set(self.serves.versions(20)) == {"7"})


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with sharing(folder, PENNANT_ACCESS_LOG="true") as serves, linear(folder, "8") as candidate:
        yield Pair(serves, candidate)


@pytest.fixture(autouse=True)
def nothing_is_shared(request: pytest.FixtureRequest) -> None:
    if "pair" in request.fixturenames:
        pair: Pair = request.getfixturevalue("pair")
        pair.settle()


@pytest.mark.parametrize("percent", [1, 25, 50, 99])
def test_the_share_is_met_on_kept_and_on_fresh_connections(pair: Pair, percent: int):
    pair.hands_over(str(percent))
    until(pair.serves.is_shared)
    for pooled in (True, False):
        answered = pair.serves.versions(REQUESTS // 2, pooled=pooled)
        assert answered.keys() <= {"7", "8"}  # one version a response, and no other's beside it
        assert answered["8"] == pytest.approx(REQUESTS // 2 * percent / 100, abs=2)


def test_after_a_share_of_nothing_no_request_is_handed_over_within_a_second(pair: Pair):
    pair.hands_over("100")
    until(pair.serves.is_shared)
    pair.hands_over("0")
    until(lambda: "8" not in pair.serves.versions(1), seconds=1)
    assert set(pair.serves.versions(50)) == {"7"}


@pytest.mark.parametrize("by", [{"header": "X-User-Id"}, {"cookie": "user"}])
def test_a_user_keeps_to_one_version_also_when_the_share_grows(pair: Pair, by: dict[str, str]):
    def versions(user: int) -> set[str]:
        header = {"x-user-id": str(user)} if "header" in by else {"cookie": f"a=b; user={user}"}
        return set(pair.serves.versions(2, **header))

    pair.hands_over("50", by=by, salt="r8")
    until(lambda: "8" in versions(0) | versions(1) | versions(2) | versions(3) | versions(4))
    before = [versions(user) for user in range(40)]
    assert {len(each) for each in before} == {1}
    assert 8 <= before.count({"8"}) <= 32
    assert set(pair.serves.versions(20)) == {"7"}  # nobody knows whose these are
    pair.hands_over("75", by=by, salt="r8")
    until(lambda: [versions(user) for user in range(40)].count({"8"}) > before.count({"8"}))
    assert all(versions(user) == {"8"} for user in range(40) if before[user] == {"8"})


def test_only_predictions_are_handed_over_and_who_names_a_version_gets_it(pair: Pair):
    pair.hands_over("100")
    until(pair.serves.is_shared)
    infer = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}
    asked = {
        path: pair.serves.pod.request(path, body)[1]["x-pennant-version"]
        for path, body in (
            ("/v2/models/iris/infer", infer),
            ("/v2/models/iris/versions/7/infer", infer),
            ("/v2/models/iris", None),
            ("/v2/health/ready", None),
            ("/metrics/answers", None),
        )
    }
    assert [*asked.values()] == ["8", "7", "7", "7", "7"]


def test_what_was_handed_over_goes_no_further(pair: Pair):
    pair.hands_over("100")
    until(pair.serves.is_shared)
    assert set(pair.serves.versions(20, **{"pennant-handed-over": "r7"})) == {"7"}


def test_the_log_says_who_answered_under_the_clients_id(pair: Pair):
    pair.hands_over("100")
    until(pair.serves.is_shared)
    connection = pair.serves.pod.connect()
    connection.request("POST", "/invocations", BODY, JSON | {"x-request-id": "mine"})
    assert connection.getresponse().headers.get_all("x-request-id") == ["mine"]
    (line,) = until(lambda: [each for each in pair.serves.pod.logged() if each["id"] == "mine"])
    assert (line["version"], line["handed_over"], line["status"]) == ("8", "r8", 200)


def test_both_count_their_own_answers_and_the_share_is_reported(pair: Pair):
    pair.hands_over("50", revision="counted")
    until(lambda: len(pair.serves.versions(4)) == 2)
    before = pair.serves.report()
    answered = pair.serves.versions(100)
    after = pair.serves.report()
    assert after["answers"]["2xx"] - before["answers"]["2xx"] == answered["7"]
    handed, earlier = after["handedOver"], before["handedOver"]
    assert handed["revision"] == "counted"
    assert handed["answers"]["2xx"] - earlier["answers"]["2xx"] == answered["8"]
    assert sum(handed["durations"]["counts"]) == handed["answers"]["2xx"]
    assert (handed["answers"]["4xx"], handed["answers"]["5xx"]) == (0, 0)
    metrics = pair.serves.pod.request("/metrics")[2].decode()
    assert 'pennant_handed_over_requests_total{model="iris",outcome="answered"' in metrics
    assert 'pennant_handed_over_seconds_count{model="iris",version="7"}' in metrics


def test_what_neither_can_answer_is_nobodys_fault(pair: Pair):
    pair.hands_over("100", revision="refused")
    until(pair.serves.is_shared)
    status, headers, _ = pair.serves.pod.request("/invocations", {"no": "instances"})
    assert (status, headers["x-pennant-version"]) == (400, "7")
    assert pair.serves.report()["handedOver"]["answers"] | {"2xx": 0} == {
        "2xx": 0, "4xx": 1, "5xx": 0,
    }  # fmt: skip


def test_a_candidate_that_dies_under_load_costs_no_request(tmp_path):
    with sharing(tmp_path) as serves, linear(tmp_path, "8") as candidate:
        serves.hands_over(candidate.port, "50")
        until(serves.is_shared)
        with ThreadPoolExecutor(4) as clients:
            asking = [clients.submit(serves.versions, 200, pooled=n % 2 == 0) for n in range(4)]
            candidate.process.send_signal(signal.SIGKILL)
            answered = sum((each.result() for each in asking), start=serves.versions(20))
        assert answered.total() == 820
        assert set(serves.versions(20)) == {"7"}
        counts = serves.report()["handedOver"]["answers"]
        assert counts["5xx"] >= 9  # of the last twenty alone


def test_workers_look_each_for_itself_and_any_of_them_reports(tmp_path):
    with (
        linear(tmp_path, "8") as candidate,
        sharing(tmp_path, PENNANT_WORKERS="2") as serves,
    ):
        until(lambda: len(worker_pids(serves.pod)) == 2)
        serves.hands_over(candidate.port, "100")
        until(lambda: set(serves.versions(20, pooled=False)) == {"8"})
        serves.hands_over(candidate.port, "25", revision="both")
        until(lambda: serves.versions(40, pooled=False)["7"] >= 20)

        def reported() -> list[int]:
            shares = [serves.report().get("handedOver", {}) for _ in range(10)]
            return [share["answers"]["2xx"] for share in shares if share.get("revision") == "both"]

        before = max(until(lambda: reported() if len(reported()) == 10 else None))
        answered = serves.versions(200, pooled=False)["8"]
        assert answered == pytest.approx(50, abs=4)
        # Another worker's last second may be missing.
        until(lambda: max(reported()) >= before + answered)


def test_a_file_that_cannot_be_read_hands_nothing_over_and_is_counted(tmp_path):
    with sharing(tmp_path) as serves:
        serves.asks(handOver={"to": f"127.0.0.1:{free_port()}", "revision": "r8", "percent": "all"})
        until(lambda: "handOver.percent" in serves.pod.log.read_text())
        assert set(serves.versions(20)) == {"7"}
        unreadable = b'pennant_traffic_unreadable_total{model="iris",version="7"} 1.0'
        assert unreadable in serves.pod.request("/metrics")[2]
        assert "handedOver" not in serves.report()
