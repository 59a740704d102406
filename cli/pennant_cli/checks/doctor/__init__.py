"""`pennant doctor`: what of the registry is reachable from here, and what to change. It only reads.

examining.py   all of it, in order
asking.py      questions that MLflow's client has no method for
server.py      the address, the version, webhooks
models.py      names, aliases and stages
file_access.py where a version's files are, and whether they can be read here
rights.py      the account, and what it may write
"""
