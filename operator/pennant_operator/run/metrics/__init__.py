"""Prometheus' numbers: `metrics` is the door; of the `fleet`, and of `registries`."""
