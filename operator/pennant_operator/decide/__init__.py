"""What should happen, decided from what was seen: pure functions, no IO and no clock.

`plan.plan(observed, now)` is the door: an `Observed` enters, a `Plan` (writes, the next status,
Events, when to look again) comes out. The rooms behind it, in the order in which a plan passes
them, with what enters -> what comes out:

- `seen/`: API objects, what the registry says -> `Spec`, `World` (slots, traffic), `Memory`, pods
- `goal/`: these -> `Goal`, the revision that should have the traffic; which children are ours
- `candidate/`: a `Step` (all the above) -> a `Verdict`: waiting, passed, rejected or held
- `traffic/`: the step, its verdict -> `Moves` of slots and traffic, the writes they take
- `manifests/`: a spec and a version, or a record -> what is applied; what others changed in it
- `status/`: the step, the traffic as moved -> the next status (`status.py`), its Events
- `registry/`: a ModelRegistry -> its spec, who may follow what, where pods pull from, its status

`step.py`, `verdict.py`, `moves.py` and `intent.py` are what these hand on to each other, and
`vocabulary.py`, `times.py` and `quantities.py` how Kubernetes writes it. `lease.py` decides apart
from all of it who may write.

"Why is this version rejected?" is answered in `candidate/verdicts.py`.
"""
