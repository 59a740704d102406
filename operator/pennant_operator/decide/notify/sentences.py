"""What a notifier is sent of one piece of news, part by part."""

from pennant_operator.decide.notify.bodies import PLACEHOLDERS
from pennant_operator.decide.notify.news import Entry
from pennant_operator.decide.vocabulary import Occasion


def values_of(entry: Entry, namespace: str, name: str) -> dict[str, str]:
    """A value for each of PLACEHOLDERS, empty where there is none."""
    parts = {**entry, "namespace": namespace, "name": name}
    parts["text"] = f"{namespace}/{name}: {_sentence(entry)}"
    return {each: str(parts.get(each, "")) for each in PLACEHOLDERS}


def _sentence(entry: Entry) -> str:
    version, model, previous = entry["version"], entry.get("model", ""), entry.get("previous")
    what = f"version {version} of {model}" if version else model
    match entry["occasion"]:
        case Occasion.SERVING:
            return f"{what} serves" + (f", after version {previous}" if previous else "")
        case Occasion.ROLLED_BACK:
            return f"the traffic went back to {what} from version {previous}"
        case Occasion.REJECTED:
            return f"{what} was rejected ({entry.get('reason')}): {entry.get('message')}"
        case _:
            return f"{what} is held ({entry.get('reason')}): {entry.get('message')}"
