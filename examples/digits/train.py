"""Handwritten digits, 8 x 8 pixels: train, register, promote. `python train.py [TREES]`."""

import logging
import sys

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

NAME, ALIAS = "digits", "production"


def main(trees: int) -> None:
    images, digits = load_digits(return_X_y=True)
    seen, unseen, known, hidden = train_test_split(images, digits, random_state=0)
    model = RandomForestClassifier(trees, random_state=0).fit(seen, known)
    accuracy = model.score(unseen, hidden)
    logging.getLogger("mlflow.models.model").setLevel("ERROR")  # would try the example with flask
    mlflow.set_experiment(NAME)
    with mlflow.start_run():
        mlflow.log_params({"trees": trees})
        mlflow.log_metrics({"accuracy": accuracy})
        logged = mlflow.sklearn.log_model(
            model,
            "model",
            input_example=seen[:1],
            pip_requirements="requirements.txt",
            registered_model_name=NAME,
        )
    version = str(logged.registered_model_version)
    MlflowClient().set_registered_model_alias(NAME, ALIAS, version)
    print(f"{NAME} version {version} is {ALIAS}: accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
