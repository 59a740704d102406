"""What an expression of Prometheus asks for."""

from __future__ import annotations

import promql_parser
from promql_parser import AggregateExpr, Call, MatrixSelector, VectorSelector


def asked_for(expr: str) -> dict[str, set[str]]:
    """Metric -> the labels by which it is chosen."""
    labels: dict[str, set[str]] = {}
    for each in _nodes(expr):
        if isinstance(each, VectorSelector) and each.name:
            chosen = {matcher.name for matcher in each.matchers.matchers}
            labels[each.name] = labels.get(each.name, set()) | chosen
    return labels


def grouped_by(expr: str) -> set[str]:
    """The labels that its sums keep."""
    return {
        str(label)
        for each in _nodes(expr)
        if isinstance(each, AggregateExpr) and each.modifier
        for label in each.modifier.labels
    }


def increases_asked_for(expr: str) -> set[tuple[str, str, str]]:
    """Metric, label, and each value by which it is chosen, of what is summed up as an increase."""
    return {
        (str(each.vector_selector.name), matcher.name, value)
        for call in _nodes(expr)
        if isinstance(call, Call) and call.func.name == "increase"
        for each in call.args
        if isinstance(each, MatrixSelector)
        for matcher in each.vector_selector.matchers.matchers
        for value in matcher.value.split("|")
    }


def _nodes(expr: str) -> list[promql_parser.Expr]:
    nodes: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(expr), nodes.append)
    return nodes
