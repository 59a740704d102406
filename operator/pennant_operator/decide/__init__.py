"""What should happen, decided from what was seen: pure functions, no IO and no clock.

`plan.plan(observed, now)` is the door; everything else here is a step of it.
"Why is this version rejected?" is answered in `candidate/verdicts.py`.
"""
