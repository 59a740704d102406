"""Tests by the names that pages give them, such as `tests/unit/test_plan.py::test_law`."""

import ast

from pennant_testing.folders import REPOSITORY


def named_in(path: str) -> set[str]:
    """The tests of a module, by its path in the repository; none where there is no such file."""
    file = REPOSITORY / path
    body = ast.parse(file.read_text()).body if file.is_file() else []
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    targets = (t for node in body if isinstance(node, ast.Assign) for t in node.targets)
    assigned = {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in functions | assigned if name.lower().startswith("test")}


def is_there(node_id: str) -> bool:
    """Whether a test is where its name says."""
    path, _, name = node_id.partition("::")
    return name in named_in(path)
