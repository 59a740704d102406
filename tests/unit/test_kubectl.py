"""What `kubectl pennant` prints of a world, and what it makes of a refusal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pennant_cli.cluster.act_commands import acts
from pennant_cli.cluster.answering import answered, text_of
from pennant_cli.cluster.commands import program
from pennant_cli.cluster.looking import at_work, events_of, invoke, read
from pennant_cli.cluster.refusals import no_such, refused
from pennant_cli.cluster.seeing import Sight, owner_of, slot_that_matters
from pennant_cli.cluster.tree import drawn
from pennant_cli.cluster.watching import watched
from pennant_cli.exit_codes import CommandError
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit

NAMES = [str(each.name) for each in (*program.registered_commands, *acts.registered_commands)]


class Recorded:
    """An API server that answers what it was given, by path."""

    namespace = "team"

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def request(self, method: str, path: str, query: Any = None, body: Any = None) -> Any:
        return self.answers[path.rpartition("/")[2]]

    def text(self, method: str, path: str, query: Any = None, body: Any = None) -> str:
        self.asked.append((path, body))
        return str(self.answers["text"])

    def list(self, kind: str, selector: str = "", *, everywhere: bool = False) -> Any:
        return self.answers[kind]


def seen(sim: Simulation, *hidden: str) -> dict[str, Any]:
    api: Any = Recorded()
    return answered(api, Sight(sim.observe(), sim.now, (), hidden))


def test_why_names_what_is_so_and_what_to_type():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(6)
    text = text_of(seen(sim))
    assert text.startswith("rec (team) Rejected\nnews alias production: version 8 is desired, ")
    assert "is desired, version 7 serves\n" in text
    assert "why  Rejected\n  alias production points at version 8, which was rejected" in text
    assert "  3. have version 8 tried again, where its reason is over\n" in text
    assert "       kubectl pennant retry rec -n team\n" in text
    assert "       pennant promote news/VERSION --alias production\n" in text
    assert "     then that version comes up, and gets the traffic when all its pods are" in text


def test_why_of_what_is_in_sync_changes_nothing():
    text = text_of(seen(serving(7)))
    assert text.endswith("nothing is to be changed: what is desired has the traffic")


def test_why_says_what_it_could_not_see():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(6)
    assert "  note: jane may not list pods" in text_of(seen(sim, "jane may not list pods"))


def test_why_of_what_no_operator_has_seen_says_so():
    sim = serving(7)
    sim.owner = sim.owner | {"status": {"observedGeneration": -1}}
    found = seen(sim)
    (note,) = found["notes"]
    assert note.startswith("no operator has looked at it yet: kubectl get pods -A -l app.kubern")
    assert "what is desired has the traffic" not in text_of(found)


def test_the_slot_that_matters_is_the_candidates():
    sim = alias_moved(pods=fails("LoadFailed", attempts=0))
    before = sim.active
    sim.run(3)
    assert before is not None
    assert slot_that_matters(sim.owner, sim.live()) == sim.status["candidate"]["slot"] != before[0]


def test_nothing_that_an_object_says_is_markup_or_moves_a_cursor():
    from rich.console import Console

    found = {"name": "rec", "namespace": "team", "summary": "Held", "follows": "a [red]b[/]\x1b[2J"}
    found |= {"desired": "8", "serving": "7", "reason": "x", "message": "[/] tags[0]"}
    console = Console(width=100)
    with console.capture() as captured:
        console.print(drawn([found | {"slots": [], "hidden": []}]))
    assert "a [red]b[/]\N{REPLACEMENT CHARACTER}[2J" in captured.get()
    assert "[/] tags[0]" in captured.get()


def test_a_missing_right_is_named_with_who_may_grant_it():
    body = (
        '{"message": "modeldeployments.pennant.dev is forbidden: User \\"jane\\" cannot list '
        'resource \\"modeldeployments\\" in API group \\"pennant.dev\\" in the namespace \\"a\\""}'
    )
    error = str(refused(403, body, "/apis/pennant.dev/v1alpha1/namespaces/a/modeldeployments"))
    assert error.startswith('jane may not list resource "modeldeployments" in API group')
    assert "whoever administers the namespace can grant it" in error


def test_a_cluster_without_pennant_says_so():
    path = "/apis/pennant.dev/v1alpha1/namespaces/a/modeldeployments"
    assert "Pennant is not installed there" in str(refused(404, "404 page not found\n", path))
    body = '{"message": "modeldeployments.pennant.dev \\"rec\\" not found"}'
    assert str(refused(404, body, path)) == 'modeldeployments.pennant.dev "rec" not found'


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    assert "which has a, b: see -n" in str(no_such("c", "team", ["b", "a"]))
    assert "which has none: see -n" in str(no_such("c", "team", []))


@pytest.mark.parametrize("name", ["", "..", "rec/status", "rec?watch=1", "Rec"])
def test_what_can_be_no_name_is_not_there_and_asks_for_nothing_else(name: str):
    api: Any = Recorded(ModelDeployment=[{"metadata": {"name": "rec"}}])
    with pytest.raises(CommandError, match=f"no ModelDeployment {re.escape(name)} in namespace"):
        owner_of(api, name)


def test_events_are_those_of_it_and_of_what_is_its_own_newest_last():
    def event(about: str, time: str) -> dict[str, Any]:
        return {
            "involvedObject": {"kind": "X", "name": about},
            "lastTimestamp": time,
            "metadata": {},
        }

    api: Any = Recorded(Event=[event("rec", "2"), event("rec-blue-1", "1"), event("recorder", "0")])
    assert [each["object"] for each in events_of(api, "rec")] == ["X/rec-blue-1", "X/rec"]


def test_a_model_is_asked_with_its_own_example():
    content = {"application/json": {"example": {"inputs": [1]}}}
    document = {"paths": {"/invocations": {"post": {"requestBody": {"content": content}}}}}
    api: Any = Recorded(**{"openapi.json": document, "text": '{"predictions": [2]}'})
    done = invoke(api, "rec", None)
    assert done == {"request": {"inputs": [1]}, "answer": {"predictions": [2]}}
    path = "/api/v1/namespaces/team/services/rec:http/proxy/invocations"
    assert api.asked == [(path, {"inputs": [1]})]


def test_a_model_without_an_example_says_how_to_give_one():
    api: Any = Recorded(**{"openapi.json": {"paths": {}}})
    with pytest.raises(CommandError, match="brings no input example: give a request with --data"):
        invoke(api, "rec", None)
    with pytest.raises(CommandError, match="--data is no JSON"):
        invoke(api, "rec", "{")


@pytest.mark.parametrize(
    ("state", "container"),
    [
        ({"running": {}}, "fetch"),
        ({"terminated": {"exitCode": 1}}, "fetch"),
        ({"terminated": {"exitCode": 0}}, "serve"),
    ],
)
def test_the_log_is_of_the_container_at_work(state: dict[str, Any], container: str):
    pod = {"status": {"initContainerStatuses": [{"name": "fetch", "state": state}]}}
    assert at_work(pod) == container


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(name: str):
    done = CliRunner().invoke(program, [name, "--help"])
    assert done.exit_code == 0
    assert f"Example: kubectl pennant {name} " in " ".join(done.stdout.split())


def test_it_offers_no_completion_which_would_be_one_for_all_of_kubectl():
    assert "completion" not in CliRunner().invoke(program, ["--help"]).stdout


def test_a_duration_that_is_none_is_refused_by_value():
    done = CliRunner().invoke(program, ["hold", "rec", "--for", "two hours"])
    assert done.exit_code == 2
    assert "two hours" in done.stderr


def test_a_hold_of_no_time_is_refused_and_not_made_one_without_end():
    done = CliRunner().invoke(program, ["hold", "rec", "--for", "0s"])
    assert done.exit_code == 2
    assert "0 would end before it begins" in " ".join(done.stderr.split())


def test_a_watch_is_text_and_refuses_to_be_read_by_programs():
    done = CliRunner().invoke(program, ["status", "-w", "-o", "json"])
    assert done.exit_code == 2
    assert "-w prints text as it comes, and no json" in " ".join(done.stderr.split())


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CommandError, match="nosuch"):
        read(str(tmp_path / "nosuch"))


def test_without_a_terminal_a_watch_prints_what_changes(capsys: pytest.CaptureFixture[str]):
    entry = {"name": "rec", "namespace": "team", "summary": "Serving", "follows": "news"}
    entry |= {"desired": "8", "serving": "8", "message": "", "hidden": []}
    seen_one_by_one = iter([[entry], [entry], [entry | {"summary": "Held"}]])

    def look() -> Any:
        try:
            return next(seen_one_by_one)
        except StopIteration:
            raise KeyboardInterrupt from None

    watched(look, every=0)
    assert capsys.readouterr().out.splitlines() == [
        "team/rec Serving: news: desired 8, serving 8",
        "team/rec Held: news: desired 8, serving 8",
    ]
