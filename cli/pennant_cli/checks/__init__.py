"""What looks, and changes nothing.

commands.py   the arguments and help of all
findings.py   what was looked at, and how it is
checking.py   `pennant check`: gates, a hold, the bundle
trying.py     its self-test, in a fresh process
comparing.py  `pennant diff`, of what version_sheet.py has of each version
doctor/       `pennant doctor`
"""
