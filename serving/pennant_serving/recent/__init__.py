"""The newest requests and their answers, in memory, for the version that comes next.

Only where a rehearsal is asked for (`settings.rehearses`); otherwise there is no `Recent`, and a
request pays for one comparison with None. Nothing of it is ever written, logged or counted.
"""
