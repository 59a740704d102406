"""What gates are told where the registry answers oddly, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NoFileError,
    NotAllowedError,
    RegistryTroubleError,
)
from pennant_registry.gates import BundleFacts
from pennant_testing.mlflow.gate_scene import (
    DROP,
    FLAVORS,
    METRICS,
    MLMODEL,
    Scene,
    record,
    run,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("part", "error", "said"),
    [
        ("run-8", MlflowRefusedError("404 RESOURCE_DOES_NOT_EXIST: no run"), "no run"),
        ("run-8", NotAllowedError("no"), "403"),
        ("run-8", RegistryTroubleError("answers 502"), "answers 502"),
        ("run-8", KeyError("odd"), "the operator fails"),
        ("version 8", NotAllowedError("no"), "403"),
    ],
    ids=str,
)
def test_what_mlflow_answers_of_a_version_is_that_versions(part: str, error: Exception, said: str):
    async def scenario(made: Scene) -> None:
        made.server.fails[part] = error
        facts = await made.known(METRICS)
        assert said in str(facts.version.metrics)
        assert made.poller._trouble is None

    run(scenario)


def test_a_registry_that_does_not_answer_changes_nothing_and_is_asked_at_the_next_poll():
    async def scenario(made: Scene) -> None:
        made.server.fails = {"": RegistryTroubleError("no answer")}
        assert made.look(METRICS) is None
        await asyncio.sleep(2)
        assert made.look(METRICS) is None
        assert made.poller._trouble == "no answer"
        assert len(made.server.taken()) <= 2
        made.server.fails.clear()
        await asyncio.sleep(60)
        assert made.look(METRICS) is not None

    run(scenario)


@pytest.mark.parametrize(
    ("mlmodel", "said"),
    [
        (MLMODEL, BundleFacts(("sklearn",))),
        ("[" * 100_000, "nested deeper than 64 levels"),
        (NoFileError("MLflow answers 404"), "could not be read: MLflow answers 404"),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("tagged", [False, True])
def test_without_its_mlmodel_file_a_version_is_what_its_tags_say(
    mlmodel: Any, said: Any, tagged: bool
):
    async def scenario(made: Scene) -> None:
        if isinstance(mlmodel, Exception):
            made.server.fails["file"] = mlmodel
        else:
            made.server.mlmodel = mlmodel
        if tagged:
            made.server.tags["8"] = {"pennant.flavors": "onnx", "pennant.signature": "none"}
        bundle = (await made.known(FLAVORS)).version.bundle
        if isinstance(said, BundleFacts):
            assert bundle == said
        elif tagged:
            assert bundle == BundleFacts(("onnx",))
        else:
            assert said in str(bundle)

    run(scenario)


def test_a_version_that_was_made_again_under_its_number_is_not_taken_for_the_first():
    async def scenario(made: Scene) -> None:
        records = {"r7": record(created=5)}
        facts = await made.known(DROP, records=records)
        assert facts.serving is not None
        assert facts.serving.metrics == "the registry does not have it any more"

    run(scenario)
