"""The environment that a bundle brings along: what it asks for, resolved and installed by `fetch`
beside the bundle, put in front of the image's packages by `serve`.

    asked.py, requirement_lines.py  what the bundle's files ask for
    runtime.py                      what the server itself needs, whatever the model
    uv.py, locking.py, wheels.py    resolved by uv: names, versions, and one wheel each
    uv_errors.py                    whose fault it is where that fails
    pins.py                         names, versions and hashes as one short text, and their digest
    providing.py, making.py         all of this, where it is not there already
    installing.py                   on the volume: beside, then in its place, then the record
    record.py, overlay.py           what `serve` finds there; these need the standard library only
    cached.py, compiling.py         the same by way of the cache that pods share
    report.py, removing.py          what `fetch` reports of it, and how it goes
"""
