"""MLflow's REST API without mlflow: `api` asks, `answers` parses, `trouble` says what to do."""
