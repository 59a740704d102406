"""One registry's webhooks: `webhook` is the door; only `subscription` writes to MLflow."""
