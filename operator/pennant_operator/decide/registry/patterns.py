"""Patterns of names in which only * is special, matched in a time that no pattern can blow up."""


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name is what any of these patterns stand for, from its first letter to its last.

    In a list of permissions a stray [ must not start a character class.
    """
    return any(_matches(name, pattern) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    """Each part is taken where it first fits: if any choice leaves room for the rest, that does."""
    first, *parts = pattern.split("*")
    if not parts:
        return name == pattern
    *between, last = parts
    if not name.startswith(first):
        return False
    at = len(first)
    for part in between:
        start = name.find(part, at)
        if start < 0:
            return False
        at = start + len(part)
    return name.endswith(last) and len(name) - len(last) >= at
