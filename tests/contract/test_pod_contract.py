"""What the operator renders is what the serving package reads, and the other way round."""

import re
from dataclasses import fields, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import yaml

import pennant_serving
from newsreco import api, registry
from newsreco.config import Config
from newsreco.serving import NewsrecoAdapter
from pennant_operator.decide.candidate.faults import FAULTS
from pennant_operator.decide.manifests.pod import GRACE_SECONDS, pod_spec
from pennant_operator.decide.manifests.render import deployment_of, registry_config_of, service_of
from pennant_operator.decide.manifests.serve import DRAIN_SECONDS, PRE_STOP_SECONDS
from pennant_operator.decide.seen.environment import MAX_REPORT_CHARACTERS
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Spec, parse_spec
from pennant_operator.decide.vocabulary import Reason as OperatorReason
from pennant_registry import lock_form
from pennant_registry.lock_form import EnvironmentLock
from pennant_registry.names import TAG_VALUE_LIMIT
from pennant_serving.adapters.loading import class_of
from pennant_serving.environ import Environ
from pennant_serving.environment.locking import PINS_CHARACTERS
from pennant_serving.environment.pins import Pin, decode, digest, encode
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.report import report
from pennant_serving.environment.settings import BundleEnvironment, PinnedEnvironment
from pennant_serving.failures import Reason as ServingReason
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.settings import Settings
from pennant_testing.memory.object_builders import IMAGES, REGISTRY, model_deployment, version

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
OTHERS = {"name": "rec", "namespace": "team", "uid": "uid-of-another"}
SPEC = parse_spec(model_deployment(serving={"adapter": "sklearn", "selfTest": "Required"}))


def environment(container: dict) -> dict[str, str]:
    """The variables as the kubelet resolves them, from the ConfigMap that is rendered beside."""
    config = registry_config_of(SPEC, REGISTRY)["data"]
    env = {}
    for variable in container["env"]:
        if "value" in variable:
            env[variable["name"]] = expanded(variable["value"], env)
            continue
        key = variable["valueFrom"]["configMapKeyRef"]["key"]
        if key in config:
            env[variable["name"]] = config[key]
    return env


def expanded(value: str, known: dict[str, str]) -> str:
    """As the kubelet does: $(NAME) is what is known by that name, and $$ is $."""

    def text(match: re.Match[str]) -> str:
        whole, name = match[0], match[1]
        return "$" if whole == "$$" else known.get(name, whole)

    return re.sub(r"\$\$|\$\(([^)]*)\)", text, value)


def containers(of: ModelVersion, spec: Spec = SPEC) -> tuple[dict, dict]:
    pod = pod_spec(spec, of, "abc123", IMAGES)
    return pod["initContainers"][0], pod["containers"][0]


def test_serve_reads_what_is_rendered_for_it():
    _, serve = containers(version(7))
    settings = Settings.from_env(environment(serve))
    assert (settings.model, settings.version) == ("news", "7")
    assert (settings.adapter, settings.self_test) == ("sklearn", "Required")
    assert (settings.deployment, settings.revision) == ("rec", "abc123")
    assert settings.port == serve["ports"][0]["containerPort"]


TUNED = parse_spec(
    model_deployment(
        serving={
            "workers": 2,
            "batching": {"mode": "Rows", "maxRows": 256, "maxDelay": "2.5ms"},
            "telemetry": {
                "accessLog": True,
                "traces": {"endpoint": "http://otel:4318", "ratio": "0.1"},
                "payloadLog": {"ratio": "0.001", "redact": ["user", "age"]},
            },
        }
    )
)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("workers", 2),
        ("batch_mode", "Rows"),
        ("batch_max_rows", 256),
        ("batch_max_delay", 0.0025),
        ("access_log", True),
        ("traces_endpoint", "http://otel:4318"),
        ("traces_ratio", 0.1),
        ("payload_log_ratio", 0.001),
        ("payload_log_redact", ("user", "age")),
    ],
)
def test_serve_reads_how_it_is_tuned(setting, value):
    _, serve = containers(version(7), TUNED)
    settings = Settings.from_env(environment(serve))
    assert getattr(settings, setting) == value


def test_fetch_reads_what_is_rendered_for_it():
    fetch, serve = containers(version(7))
    settings = FetchSettings.from_env(environment(fetch))
    assert settings.wanted.source == version(7).source
    assert settings.registry_url == REGISTRY.url
    assert settings.allowed_sources == REGISTRY.allowed_sources
    assert [digest for _, digest in settings.expected_digests] == ["sha-of-7"]
    assert settings.model_path == Settings.from_env(environment(serve)).model_path


def test_fetch_is_told_a_pinned_digest_where_there_is_no_tag():
    fetch, _ = containers(version(7, tag=False))
    names = {variable["name"] for variable in fetch["env"]}
    assert "PENNANT_PINNED_SHA256" in names
    assert "PENNANT_MODEL_SHA256" not in names


def awkward_pins() -> tuple[Pin, ...]:
    """Some whose text holds what the kubelet would take for a variable's beginning."""
    for number in count():
        listed = (Pin("alpha", f"1.{number}", sha256(str(number).encode()).hexdigest()),)
        if "$$" in encode(listed):
            return listed
    raise AssertionError


def test_what_a_version_is_locked_to_is_what_its_pods_install():
    """The tag, as the library writes it, comes whole to `fetch`, by way of the kubelet."""
    pins = awkward_pins()
    lock = EnvironmentLock(digest(pins), "3.12", encode(pins))
    of = replace(version(7), environment=lock_form.written(lock))
    fetch, _ = containers(of, parse_spec(model_deployment(serving={"environment": "Bundle"})))
    variables = environment(fetch) | {"PENNANT_INDEX_URL": "https://packages.example/simple"}
    wanted = BundleEnvironment.from_env(Environ(variables))
    assert wanted is not None
    assert wanted.pinned == PinnedEnvironment(lock.digest, lock.python, decode(lock.pins))
    assert [str(pin) for pin in wanted.pinned.pins] == [str(pin) for pin in pins]


def test_the_lock_of_as_many_packages_as_a_pod_can_report_fits_a_tag():
    lock = EnvironmentLock("0" * 64, "3.12", "x" * PINS_CHARACTERS)
    assert len(lock_form.written(lock)) <= min(TAG_VALUE_LIMIT, MAX_REPORT_CHARACTERS)


def test_a_lock_is_what_fetch_reports_but_for_what_nobody_has_weighed_yet():
    record = EnvironmentRecord("0" * 64, "3.12", 0, 1, (), "")
    assert report(record).keys() - {"bytes"} == {each.name for each in fields(EnvironmentLock)}


@pytest.mark.parametrize("custom", [False, True], ids=["Pennant", "Custom"])
def test_fetch_reads_which_cache_its_pod_shares_and_how(custom: bool):
    claim = {"storage": {"cache": {"claimName": "model-cache", "maxSize": "20Gi"}}}
    serving = (sample().serving if custom else {}) | claim
    fetch, _ = containers(version(7), parse_spec(model_deployment(serving=serving)))
    cache = FetchSettings.from_env(environment(fetch)).cache
    assert cache is not None
    (mount,) = (m["mountPath"] for m in fetch["volumeMounts"] if m["name"] == "cache")
    assert (str(cache.path), cache.size) == (mount, 20 * 2**30)
    assert cache.use == ("copy" if custom else "link")
    others = parse_spec(model_deployment(serving=serving) | {"metadata": OTHERS})
    apart = FetchSettings.from_env(environment(containers(version(7), others)[0])).cache
    assert apart is not None
    assert cache.rollout != apart.rollout


def test_without_a_cache_fetch_reads_none():
    fetch, _ = containers(version(7))
    assert FetchSettings.from_env(environment(fetch)).cache is None


def test_no_variable_is_rendered_that_nobody_reads():
    text = "".join(p.read_text() for p in Path(pennant_serving.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"PENNANT_[A-Z0-9_]+", text))
    cached = parse_spec(model_deployment(serving={"storage": {"cache": {"claimName": "c"}}}))
    rendered = (containers(version(7)), containers(version(7, tag=False)))
    for container in (*rendered[0], *rendered[1], *containers(version(7), cached)):
        assert {variable["name"] for variable in container["env"]} <= read


def sample() -> Spec:
    document = yaml.safe_load((ROOT / "manifests" / "samples" / "custom.yaml").read_text())
    return parse_spec(model_deployment(serving=document["spec"]["serving"]))


def test_the_custom_sample_is_newsrecos_api_on_the_mount_and_port_it_is_told():
    _, serve = containers(version(7), sample())
    config = Config.of(environment(serve))
    assert config.mount == Settings.from_env(environment(containers(version(7))[1])).model_path
    assert config.port == serve["ports"][0]["containerPort"]
    assert serve["command"] == ["python", "-m", api.__name__]
    paths = {route.path for route in api.app.routes}
    assert {serve[f"{kind}Probe"]["httpGet"]["path"] for kind in ("readiness", "liveness")} <= paths


def test_newsrecos_sample_is_what_the_example_registers_and_is_served_with():
    def spec_of(path: str) -> dict:
        return yaml.safe_load((ROOT / "manifests" / path).read_text())["spec"]

    ours, demo = spec_of("samples/newsreco.yaml"), spec_of("demo/newsreco/modeldeployment.yaml")
    assert ours["model"] == {"name": registry.REGISTERED_NAME, "alias": registry.ALIAS}
    assert class_of(ours["serving"]["adapter"]) is NewsrecoAdapter
    assert ours["serving"]["adapter"] == demo["serving"]["adapter"]
    target = ours["serving"]["image"].rpartition("/")[2].partition(":")[0]
    assert target in demo["serving"]["image"]
    assert f" AS {target}\n" in (ROOT / "Dockerfile").read_text()


def test_the_sample_for_any_model_is_served_by_the_operators_image_and_a_flavors_own_adapter():
    document = yaml.safe_load((ROOT / "manifests" / "samples" / "modeldeployment.yaml").read_text())
    assert not {"image", "adapter", "mode"} & document["spec"]["serving"].keys()
    _, serve = containers(
        version(7), parse_spec(model_deployment(serving=document["spec"]["serving"]))
    )
    assert serve["image"] == IMAGES.serving
    assert Settings.from_env(environment(serve)).adapter == "auto"


@pytest.mark.parametrize("spec", [SPEC, sample()], ids=["Pennant", "Custom"])
def test_the_service_sends_to_the_serving_port_whatever_its_number(spec: Spec):
    record = Record("abc123", "news", "7", "", None, deployment_of(spec, version(7), "", IMAGES))
    sent = service_of(spec, "blue", {}, record)["spec"]["ports"]
    answers = containers(version(7), spec)[1]["ports"]
    assert [port["targetPort"] for port in sent] == [port["name"] for port in answers]


def test_the_process_has_time_to_drain_within_its_grace_period():
    assert PRE_STOP_SECONDS + DRAIN_SECONDS < GRACE_SECONDS


@pytest.mark.parametrize("reason", list(ServingReason))
def test_every_reason_a_container_gives_has_a_fault(reason: ServingReason):
    assert OperatorReason(str(reason)) in FAULTS
