"""Before a version is ready it answers the newest real requests, and is compared with what serves.

    asking.py      samples from what serves, through the Service
    playing.py     one after the other through the same application as live requests
    answers.py     what an answer consists of, and whether two are of the same shape, or equal
    judging.py     counts and medians against what spec.rollout.rehearsal allows
    rehearse.py    all of it within a bound of time, once a pod

What was asked and answered stays in this process's memory: messages have routes, statuses, types of
errors and lines of code.
"""
