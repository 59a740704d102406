"""Two versions of a model, and a third that nothing can load; `production` is the first.

MLFLOW_TRACKING_URI says where they go, such as sqlite:///mlflow.db.
"""

import warnings

import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from pennant_registry import promote, register

warnings.simplefilter("ignore")  # MLflow's, that whole numbers cannot be missing
flowers = load_iris(as_frame=True)
one = flowers.data.iloc[[50]]  # of which the two versions think otherwise
for strictness in (0.001, 1.0):
    with mlflow.start_run() as run:
        model = LogisticRegression(C=strictness, max_iter=1000).fit(flowers.data, flowers.target)
        mlflow.log_metric("accuracy", model.score(flowers.data, flowers.target))
        # Named, because MLflow takes long to find them out.
        needs = ["scikit-learn"]
        mlflow.sklearn.log_model(model, name="model", input_example=one, pip_requirements=needs)
    register(run.info.run_id, "model", name="iris")
with mlflow.start_run() as run:
    mlflow.log_text("flavors: {}", "model/MLmodel")
register(run.info.run_id, "model", name="iris")
promote(1, name="iris", alias="production")
print("iris has versions 1, 2 and 3, and production is 1")
