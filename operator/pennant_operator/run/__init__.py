"""Wires observe, decide and act into a process, and keeps it going.

`wiring` builds every part, `operator` runs them: all, or none. `reconcile` is the loop itself, for
one ModelDeployment; `queue` hands these out, `lists` fills it at the start and every ten minutes.

- `lease/`: who may write: the Lease taken, renewed and given up (`elector`), and what the others
  know of it (`leadership`)
- `http/`: the ports: `/healthz`, `/readyz` and `/metrics` (`probes`), and MLflow's webhooks
  (`receiver`, `relay`), behind one guard against whoever knocks (`listening`)
- `metrics/`: the numbers people alert on (`metrics`)
"""
