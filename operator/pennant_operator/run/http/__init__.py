"""Ports: probes and metrics, and the webhooks of MLflow; `listening` guards both."""
