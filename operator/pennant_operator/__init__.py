"""The operator: what is so is observed, what should happen is decided, and that alone is written.

- `observe/`: what Kubernetes and MLflow say
- `decide/`: pure functions of it; `decide/plan.py` is the table of contents
- `act/`: writes to the API server, through one gate
- `run/`: these three as a process; `__main__.py` starts it

In this folder itself is what several of them need: `config.py`, `kube.py` (the API server) with
`nesting.py` and `yaml_body.py` (the JSON that it sends and reads), `backoff.py`, `token_bucket.py`
and `all_or_none.py`.
"""
