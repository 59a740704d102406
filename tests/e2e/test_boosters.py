"""XGBoost, LightGBM and ONNX in pods of the image that has their libraries, by two workers each.

The image is not one of the usual four: where nobody has built it, this is left out.
"""

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import load_model

from pennant_dev import cluster, images
from pennant_dev.buildkey import reference
from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError
from pennant_serving.adapters.flavors import LIBRARIES
from pennant_testing.cluster.deployed import Deployed, condition_of
from pennant_testing.cluster.pod_scripts import source
from pennant_testing.serving import flavor_models

NAME = "pennant-serving-boosters"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not images.built(NAME, Settings.from_env()),
        reason=f"the image is not built: dev/images build {NAME}",
    ),
]

MODEL = "boosted"
MODELS = {
    "xgboost": "xgboost classifier",
    "lightgbm": "lightgbm booster",
    "onnx": "onnx, columns",
}
REGISTER = source("register_bundles")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {name: flavor_models.save_model(model, folder / name) for name, model in MODELS.items()}


@pytest.fixture(scope="module")
def boosted(kube: Kube, bundles: dict[str, Path], room: str) -> Iterator[dict[str, Deployed]]:
    """One ModelDeployment for each, on the plain image, which lacks their libraries."""
    cluster.load([NAME])
    toolbox = ("exec", "--stdin", setup.TOOLBOX, f"--namespace={NAMESPACE}", "--")
    kube(*toolbox, "python", "-c", REGISTER, MODEL, stdin=packed(bundles))
    by_model = {name: Deployed(kube, name, room, MODEL) for name in MODELS}
    for each in by_model.values():
        each.apply(serving={"workers": 2})
    yield by_model
    for each in by_model.values():
        each.delete("--wait=false")


def packed(bundles: dict[str, Path]) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, path in bundles.items():
            for each in path.rglob("*"):
                opened.write(each, Path(name, each.relative_to(path)))
    return base64.b64encode(archive.getvalue()).decode()


def answered(of: Deployed, rows: pd.DataFrame) -> np.ndarray | None:
    """What it predicts for each row; None while the Service does not reach it."""
    try:
        predictions = of.predictions({"dataframe_split": rows.to_dict(orient="split", index=False)})
    except DevError:
        return None
    return flat(pd.DataFrame(predictions))


def flat(predictions: np.ndarray | pd.DataFrame) -> np.ndarray:
    return np.asarray(predictions, dtype="float64").reshape(-1)


@pytest.mark.parametrize("name", MODELS)
def test_without_its_library_it_is_rejected_and_with_it_answers_as_mlflow_does(
    boosted: dict[str, Deployed], bundles: dict[str, Path], name: str
):
    each = boosted[name]
    status = each.until(summary="Rejected")
    (rejected,) = status["rejected"]
    assert rejected["reason"] == "LoadFailed"
    for words in (LIBRARIES[name], "serving.image", "SERVING_LOCK=serving-boosters"):
        assert words in rejected["message"]
        assert words in condition_of(status, "AliasInSync")[2]

    each.apply(serving={"workers": 2, "image": reference(NAME)})
    each.until(summary="Serving", readyReplicas=1)
    (pod,) = each.pods()
    children = ("cat", "/proc/1/task/1/children")
    output = each.kube.execute(
        each.namespace, pod["metadata"]["name"], *children, container="serve"
    )
    assert len(output.split()) == 2
    rows = (flavor_models.NUMBERS if name == "onnx" else flavor_models.TABLE)[:5]
    expected = flat(load_model(str(bundles[name])).predict(rows))
    poll(lambda: answered(each, rows) is not None, f"{name} does not answer", 30)
    for _ in range(4):  # by one worker or the other
        assert answered(each, rows) == pytest.approx(expected, rel=1e-5)
