"""How diabetes goes on within a year: train, register, promote. `python train.py [TREES]`."""

import logging
import sys

import mlflow
from lightgbm import LGBMRegressor
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

NAME, ALIAS = "diabetes", "production"


def main(trees: int) -> None:
    patients, progress = load_diabetes(return_X_y=True, as_frame=True)
    seen, unseen, known, hidden = train_test_split(patients, progress, random_state=0)
    model = LGBMRegressor(n_estimators=trees, num_leaves=8, verbose=-1).fit(seen, known)
    error = mean_absolute_error(hidden, model.predict(unseen))
    logging.getLogger("mlflow.models.model").setLevel("ERROR")  # would try the example with flask
    mlflow.set_experiment(NAME)
    with mlflow.start_run():
        mlflow.log_params({"trees": trees})
        mlflow.log_metrics({"error": error})
        logged = mlflow.lightgbm.log_model(
            model,
            "model",
            input_example=seen.head(1),
            pip_requirements="requirements.txt",
            registered_model_name=NAME,
        )
    version = str(logged.registered_model_version)
    MlflowClient().set_registered_model_alias(NAME, ALIAS, version)
    print(f"{NAME} version {version} is {ALIAS}: off by {error:.1f} on average")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
