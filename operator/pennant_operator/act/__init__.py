"""Writes to the API server: `carry_out` takes a plan to `cluster`, the one gate; `events` posts."""
