"""KServe's Python server with the model as KServe's own scikit-learn server has it."""

import argparse
from typing import Any

import joblib
from kserve import Model, ModelServer, model_server
from kserve.utils.utils import get_predict_input, get_predict_response


class KServeClassifier(Model):  # type: ignore[misc]  # KServe's environment is not ours
    """Predicts with a pipeline."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self.pipeline = joblib.load(path)
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:  # noqa: ARG002
        """The labels, in the protocol of the request."""
        labels = self.pipeline.predict(get_predict_input(payload))
        return get_predict_response(payload, labels, self.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("--path")
    arguments, _ = parser.parse_known_args()
    ModelServer().start([KServeClassifier(arguments.model_name, arguments.path)])
