"""docs/architecture.md and its picture, and README's map: they show the code as it is."""

import ast
import re
import tomllib
from itertools import permutations
from pathlib import Path

import grimp
import pytest

from pennant_dev import floor_plan

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PLAN = tomllib.loads(floor_plan.SOURCE.read_text())
ROOMS = [room["module"] for room in PLAN["room"]]
# [`decide/plan.py:plan`](../operator/pennant_operator/decide/plan.py)
REFERENCE = re.compile(r"\[`([\w/.]+\.py)(?::([\w.]+))?`\]\(([^)]+)\)")


def references(page: str) -> set[tuple[str, str, str]]:
    """Of a page: each file as it is shown, the name in it, the path that the link leads to."""
    path = ROOT / page
    return {
        (shown, name, str((path.parent / link).resolve().relative_to(ROOT)))
        for shown, name, link in REFERENCE.findall(path.read_text())
    }


def names(body: list[ast.stmt], prefix: str = "") -> set[str]:
    """What a module, or a class in it, defines: functions, classes, their methods, constants."""
    defined: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            defined |= names(node.body, f"{prefix}{node.name}.")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {prefix + target.id for target in targets if isinstance(target, ast.Name)}
    return defined


def shown_as(path: str) -> set[str]:
    """How a page may show a path: whole, or from where its table says that paths begin."""
    inside = path.removeprefix("operator/pennant_operator/")
    return {path, inside, inside.replace("serving/pennant_serving/", "serving/")}


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_file_and_function_that_a_map_names_is_there(page):
    found = references(page)
    assert found
    missing = [path for _, _, path in found if not (ROOT / path).is_file()]
    assert missing == []
    undefined = [
        f"{path}:{name}"
        for _, name, path in found
        if name and name not in names(ast.parse((ROOT / path).read_text()).body)
    ]
    assert undefined == []


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_path_leads_to_the_file_that_it_shows(page):
    wrong = [(shown, path) for shown, _, path in references(page) if shown not in shown_as(path)]
    assert wrong == []


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_law_has_its_files():
    laws = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "laws.md").read_text(), re.MULTILINE)
    table = PAGE.split("## The laws")[1].split("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|.*\.py", table, re.MULTILINE) == laws


def test_the_picture_is_drawn_from_its_text():
    """`make picture` draws it anew."""
    assert floor_plan.PICTURE.read_text() == floor_plan.drawn(floor_plan.SOURCE.read_text())


def test_what_the_picture_shows_is_there():
    places = {module: ROOT / place(module) for module in ROOMS}
    assert [module for module, path in places.items() if not path.exists()] == []
    assert [file["path"] for file in PLAN["file"] if not (ROOT / file["path"]).is_file()] == []


def test_the_steps_of_the_picture_are_the_rows_of_the_table():
    """And each row names a file of the room, or the file, that bears its number."""
    table = PAGE.split("## The way of an alias move")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|", table, re.MULTILINE))
    steps = {str(room["step"]): place(room["module"]) for room in PLAN["room"] if "step" in room}
    steps |= {str(file["step"]): file["path"] for file in PLAN["file"] if "step" in file}
    assert list(rows) == sorted(steps, key=int)
    assert [number for number, where in rows.items() if steps[number] not in where] == []


def test_an_arrow_is_drawn_where_the_code_imports_and_nowhere_else():
    """Of the imports between rooms that lie beside each other, but those that others imply."""
    drawn = {(arrow["from"], arrow["to"]) for arrow in PLAN["arrow"]}
    assert drawn == told_once(imports())


def place(module: str) -> str:
    """Where the code of a room is: a folder, or a file."""
    package = module.split(".", maxsplit=1)[0].removeprefix("pennant_")
    path = f"{package}/{module.replace('.', '/')}"
    return path if (ROOT / path).is_dir() else f"{path}.py"


def imports() -> set[tuple[str, str]]:
    """Between rooms in the same holder: some module of the one imports some module of the other."""
    graph = grimp.build_graph("pennant_operator", "pennant_serving", cache_dir=None)
    within = {room: {room} | graph.find_descendants(room) for room in ROOMS}
    beside = [
        (a, b) for a, b in permutations(ROOMS, 2) if a.rpartition(".")[0] == b.rpartition(".")[0]
    ]
    return {
        (a, b)
        for a, b in beside
        if any(graph.find_modules_directly_imported_by(module) & within[b] for module in within[a])
    }


def told_once(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without those that say what a longer way along the others says."""
    return {(a, b) for a, b in arrows if not leads(arrows - {(a, b)}, a, b)}


def leads(arrows: set[tuple[str, str]], start: str, end: str) -> bool:
    """Whether there is a way along the arrows; none comes by its start again."""
    on = {arrow for arrow in arrows if arrow[0] != start}
    return any(to == end or leads(on, to, end) for a, to in arrows if a == start)
