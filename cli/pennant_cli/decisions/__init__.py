"""Reads what the operator printed of its decisions: runs them again, and audits them.

log_lines.py    the operator's lines out of log files, however a collector wrapped them
replay.py       what the installed version would decide otherwise
differences.py  two plans, field by field
audit.py        whether lines were changed, dropped or reordered
moment.py       what served at a moment, and who moved it there
"""
