"""The cache: bundles and environments on a volume that the pods of a namespace share, so that a new
pod of something known downloads nothing. It knows nothing of what is in an entry.

    settings.py      where it is, how large it may be, whose rollout this is
    using.py         the way of one bundle or environment through it: look, wait, make, publish
    locks.py         who uses, who makes, who removes: locks that end with their processes
    entries.py       an entry on the disk: its record, its files, its last use
    incoming.py      what is being made, and what a killed process left of that
    publication.py   one rename, and before it the room for that
    eviction.py      pure: what goes, so that the bound is kept
    removing.py      how it goes, unless somebody uses it
    wheels.py        uv's own folder, and whether it runs
    rollouts.py      what the first pod of a rollout ended with, for the next
    following.py     what `serve` does where its bundle is a link into it

    bundles/<digest>/{record.json, files/}, environments/<digest>-<python>/{the same}
    rollouts/<key>.json, uv/, incoming/<random>/ and .lock, locks/<key>.lock
"""
