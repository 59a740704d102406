"""ModelRegistries, where they are, and what is so of each."""

from __future__ import annotations

from typing import Any

from pennant_cli.cluster.api import Api, Object
from pennant_cli.exit_codes import CommandError


def registries(api: Api, *, everywhere: bool) -> list[dict[str, Any]]:
    """Only those in the operator's own namespace are read by it."""
    return [_entry(each) for each in api.list("ModelRegistry", everywhere=everywhere)]


def _entry(registry: Object) -> dict[str, Any]:
    status, meta = registry.get("status") or {}, registry["metadata"]
    return {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "url": registry.get("spec", {}).get("url", ""),
        "serverVersion": status.get("serverVersion", ""),
        "modelsWatched": status.get("modelsWatched"),
        "conditions": [
            {field: each.get(field, "") for field in ("type", "status", "reason", "message")}
            for each in status.get("conditions", ())
        ],
    }


def text_of(entries: list[dict[str, Any]]) -> str:
    """For people."""
    return "\n\n".join("\n".join(_lines(each)) for each in entries)


def _lines(entry: dict[str, Any]) -> list[str]:
    watched = entry["modelsWatched"]
    return [
        f"{entry['name']} ({entry['namespace']}) {entry['url']}",
        f"  MLflow {entry['serverVersion'] or 'of an unknown version'}"
        + (f", {watched} models watched" if watched is not None else ""),
        *(
            f"  {each['type']}={each['status']} {each['reason']}: {each['message']}"
            for each in entry["conditions"]
        ),
    ]


def home_of(api: Api, name: str) -> str:
    """The namespace of the ModelRegistry of this name, which is the operator's."""
    every = api.list("ModelRegistry", everywhere=True)
    metas = [each["metadata"] for each in every]
    homes = {str(meta["namespace"]) for meta in metas if meta["name"] == name}
    if len(homes) != 1:
        where = f"is in namespaces {', '.join(sorted(homes))}" if homes else "is not there"
        raise CommandError(f"ModelRegistry {name} {where}: name the operator's namespace with -n")
    return homes.pop()
