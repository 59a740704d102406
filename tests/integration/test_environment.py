"""The environment of a bundle, resolved and installed by a real uv from a real index."""

from __future__ import annotations

import ssl
import sys
from urllib.parse import urlsplit

import pytest

from pennant_serving.environment.record import PYTHON, environment_path, read, record_path
from pennant_serving.failures import PodError, Reason
from pennant_testing.certificates import Authority
from pennant_testing.mlflow.tls_and_proxies import tls_front
from pennant_testing.packages.bundles import bundle_asking, provided
from pennant_testing.packages.simple_index import needs, package_index
from pennant_testing.packages.wheels import runtime_wheels, wheel

pytestmark = pytest.mark.integration

NOWHERE = "http://127.0.0.1:1/simple"
CPYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture
def folder(tmp_path):
    """Of wheels; the server's own needs are among them."""
    folder = tmp_path / "wheels"
    runtime_wheels(folder)
    wheel(folder, "alpha", "1.0", "beta>=1")
    wheel(folder, "alpha", "1.1", "beta>=2")
    wheel(folder, "beta", "1.5")
    wheel(folder, "beta", "2.0")
    return folder


@pytest.fixture
def index(folder):
    with package_index(folder) as index:
        yield index


def failure(model_path, *indexes, **settings):
    with pytest.raises(PodError) as raised:
        provided(model_path, *indexes, **settings)
    assert not record_path(model_path).exists()
    assert not list(model_path.parent.glob(".incoming*"))
    return raised.value.reason, raised.value.message


def packages(record):
    return {line.partition(" ")[0] for line in record.wheels}


def test_what_a_bundle_asks_for_is_installed_beside_it(index, tmp_path):
    model_path = bundle_asking(tmp_path / "models", "alpha")
    local = wheel(model_path / "code", "local", "0.1", "beta<3")
    record, cached = provided(model_path, index)
    assert not cached
    assert {"alpha==1.1", "beta==2.0", "local==0.1"} < packages(record)
    assert (record.python, record.packages) == (PYTHON, len(record.wheels))
    assert (environment_path(model_path) / "local" / "__init__.py").is_file()
    assert read(record_path(model_path)) == record
    assert sorted(path.name for path in model_path.parent.iterdir()) == [
        "bundle", "environment", "environment.json",
    ]  # fmt: skip
    assert local.is_file()


def test_what_is_there_and_whole_costs_no_network_call(index, tmp_path):
    model_path = bundle_asking(tmp_path / "models", "alpha")
    record, _ = provided(model_path, index)
    assert provided(model_path, NOWHERE) == (record, True)


def test_a_damaged_environment_is_made_anew(index, tmp_path):
    model_path = bundle_asking(tmp_path / "models", "alpha")
    record, _ = provided(model_path, index)
    module = environment_path(model_path) / "alpha" / "__init__.py"
    content = module.read_bytes()
    for damage in (b"", b"x" * len(content)):
        module.unlink()
        module.write_bytes(damage)
        assert provided(model_path, index) == (record, False)
        assert module.read_bytes() == content
    (module.parent / "more.py").write_text("evil = True\n")
    assert provided(model_path, index) == (record, False)


def test_what_wheels_list_wrongly_or_have_in_common_is_whole_too(index, folder, tmp_path):
    listed = {"wrong-1.0.dist-info/RECORD": "wrong.py,sha256=AAAA,9\nabsent.py,sha256=AAAA,9\n"}
    wheel(folder, "wrong", "1.0", files={"wrong.py": "", "common/a.py": "", **listed})
    wheel(folder, "right", "1.0", files={"common/a.py": "right = True\n"})
    model_path = bundle_asking(tmp_path / "models", "wrong", "right")
    record, _ = provided(model_path, index)
    assert provided(model_path, NOWHERE) == (record, True)


def test_an_index_that_changed_its_mind_changes_nothing_that_is_pinned(index, folder, tmp_path):
    first, _ = provided(bundle_asking(tmp_path / "first", "alpha"), index)
    wheel(folder, "alpha", "1.2")
    wheel(folder, "alpha", "1.1", tag=f"{CPYTHON}-none-any")  # an installer would take it
    wheel(folder, "alpha", "1.1+cpu")  # and this, which `==1.1` is, too
    wheel(folder, "beta", "2.1")
    fresh, _ = provided(bundle_asking(tmp_path / "fresh", "alpha"), index)
    assert {"alpha==1.2"} < packages(fresh)
    later, _ = provided(bundle_asking(tmp_path / "later", "alpha"), index, pinned=first)
    assert later == first


def test_another_release_of_pennant_comes_with_no_package(index, folder, tmp_path):
    wheel(folder, "team", "1.0", "beta", "pennant[registry]>=0")
    model_path = bundle_asking(tmp_path / "models", "team")
    wheel(model_path / "code", "pennant", "0.0.1", files={"pennant_registry.py": ""})
    wheel(folder, "pennant", "0.0.1", files={"pennant_registry.py": ""})
    record, _ = provided(model_path, index)
    assert {"team==1.0", "beta==2.0"} < packages(record)
    assert "pennant==0.0.1" not in packages(record)


def test_addresses_of_wheels_need_not_end_with_their_names(index, tmp_path):
    index.by_hash = True
    first, _ = provided(bundle_asking(tmp_path / "first", "alpha"), index)
    assert {"alpha==1.1", "beta==2.0"} < packages(first)
    later, _ = provided(bundle_asking(tmp_path / "later", "alpha"), index, pinned=first)
    assert later == first


def test_pins_are_of_the_wheels_in_the_bundle_too(index, tmp_path):
    paths = [bundle_asking(tmp_path / name, "beta") for name in ("first", "later")]
    for path in paths:
        wheel(path / "code", "local", "0.1")
    first, _ = provided(paths[0], index)
    later, _ = provided(paths[1], index, pinned=first)
    assert later.wheels == first.wheels  # where it was installed from is in its files


def test_a_pinned_wheel_that_is_gone_is_waited_for(index, folder, tmp_path):
    first, _ = provided(bundle_asking(tmp_path / "first", "alpha"), index)
    (folder / "beta-2.0-py3-none-any.whl").unlink()
    model_path = bundle_asking(tmp_path / "later", "alpha")
    with pytest.raises(PodError, match=r"no more what this revision is pinned to.*beta==2\.0") as r:
        provided(model_path, index, pinned=first)
    assert r.value.reason is Reason.DOWNLOAD_FAILED
    wheel(folder, "beta", "2.0", files={"beta.py": "another = True\n"})
    with pytest.raises(PodError, match=r"pinned to a wheel of beta==2\.0 whose sha256") as r:
        provided(model_path, index, pinned=first)
    assert r.value.reason is Reason.DOWNLOAD_FAILED


def test_bytes_that_the_index_did_not_promise_are_not_installed(folder, tmp_path):
    other = tmp_path / "other"
    for path in folder.iterdir():
        (other / path.name).parent.mkdir(exist_ok=True)
        (other / path.name).write_bytes(path.read_bytes())
    wheel(other, "beta", "2.0", files={"beta.py": "evil = True\n"})
    with (
        package_index(other) as files,
        package_index(folder, files_url=files.url.removesuffix("/simple")) as index,
    ):
        model_path = bundle_asking(tmp_path / "models", "beta")
        reason, message = failure(model_path, index)
    assert reason is Reason.DOWNLOAD_FAILED
    assert "beta" in message
    assert "hash" in message.lower()


def test_credentials_go_to_the_index_and_to_nobody_else(folder, tmp_path):
    with (
        package_index(folder) as files,
        package_index(
            folder,
            refusal=needs("someone", "pass:w%rd"),
            files_url=files.url.removesuffix("/simple"),
        ) as index,
    ):
        path = bundle_asking(tmp_path / "models", "alpha")
        provided(path, index, username="someone", password="pass:w%rd")
        assert {authorization for _, authorization in files.asked} == {None}
        assert {authorization for _, authorization in index.asked} - {None}


def test_wheels_of_a_guarded_index_are_fetched_with_its_credentials(folder, tmp_path):
    with package_index(folder, refusal=needs("someone", "secret")) as index:
        path = bundle_asking(tmp_path / "models", "alpha")
        record, _ = provided(path, index, username="someone", password="secret")
    assert {"alpha==1.1"} < packages(record)


@pytest.mark.parametrize("password", [None, "wrong-secret"])
def test_refused_credentials_are_named_and_not_shown(folder, tmp_path, password):
    username = "someone" if password else None
    with package_index(folder, refusal=needs("someone", "secret")) as index:
        path = bundle_asking(tmp_path / "models", "alpha")
        reason, message = failure(path, index, username=username, password=password)
    assert reason is Reason.CREDENTIALS_MISSING
    assert "environments.credentialsSecret" in message
    assert "secret" not in message.replace("credentialsSecret", "")


def test_an_index_that_is_away_is_waited_for(tmp_path):
    reason, message = failure(bundle_asking(tmp_path / "models", "alpha"), NOWHERE)
    assert reason is Reason.DOWNLOAD_FAILED
    assert "Connection refused" in message
    assert "environments.indexURL" in message


def test_an_index_in_trouble_is_waited_for(folder, tmp_path):
    with package_index(folder, refusal=lambda *_: 503) as index:
        reason, message = failure(bundle_asking(tmp_path / "models", "alpha"), index)
    assert reason is Reason.DOWNLOAD_FAILED
    assert "503" in message


def test_an_address_that_is_no_index_is_not_the_models_fault(folder, tmp_path):
    with package_index(folder) as index:
        wrong = index.url.replace("simple", "elsewhere")
        reason, message = failure(bundle_asking(tmp_path / "models", "alpha==1.0"), wrong)
    assert reason is Reason.DOWNLOAD_FAILED
    assert "lacks what the server itself needs" in message


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (["alpha==9.9"], ["there is no version of alpha==9.9", "say 'alpha==9.9'"]),
        (["nosuch"], ["nosuch was not found", "say 'nosuch'"]),
        (["Alpha==1.1", "beta<2"], ["depends on beta>=2", "say 'Alpha==1.1', 'beta<2'"]),
        (["starlette<0.9"], ["starlette>=1.7", "say 'starlette<0.9'"]),
        (["protobuf<4"], ["protobuf>=4.22", "say 'protobuf<4'"]),
        (["windows"], ["we only found wheels for `windows`", "say 'windows'"]),
        (["future"], ["requires Python >=3.99", "say 'future'"]),
    ],
)
def test_what_cannot_be_resolved_is_the_models_fault(index, folder, tmp_path, lines, texts):
    wheel(folder, "windows", "1.0", tag="cp39-cp39-win_amd64")
    wheel(folder, "future", "1.0", requires_python=">=3.99")
    reason, message = failure(bundle_asking(tmp_path / "models", *lines), index)
    assert reason is Reason.ENVIRONMENT_MISMATCH
    for text in texts:
        assert text in message
    assert "serving.environment to Image" in message


def test_another_python_is_told_before_anything_is_asked(index, tmp_path):
    model_path = bundle_asking(tmp_path / "models", "alpha", python_env_yaml="python: 3.8.20")
    reason, message = failure(model_path, index)
    assert reason is Reason.ENVIRONMENT_MISMATCH
    assert "Python 3.8" in message
    assert f"Python {PYTHON}" in message
    assert "PENNANT_SERVING_IMAGES" in message
    _, message = failure(model_path, index, images={"3.8": "serving-py3.8:1"})
    assert "set serving.python to '3.8', for which there is serving-py3.8:1" in message
    assert index.asked == []


def test_the_first_index_that_has_a_name_decides(index, folder, tmp_path):
    public = tmp_path / "public"
    wheel(public, "alpha", "99.0")
    wheel(public, "gamma", "1.0")
    with package_index(public) as other:
        model_path = bundle_asking(tmp_path / "models", "alpha", "gamma")
        record, _ = provided(model_path, index, other)
    assert {"alpha==1.1", "gamma==1.0"} < packages(record)


def test_a_damaged_wheel_in_the_bundle_is_the_models_fault(index, tmp_path):
    model_path = bundle_asking(tmp_path / "models", "code/local-0.1-py3-none-any.whl")
    (model_path / "code").mkdir()
    (model_path / "code" / "local-0.1-py3-none-any.whl").write_bytes(b"no zip")
    reason, message = failure(model_path, index)
    assert reason is Reason.ENVIRONMENT_MISMATCH
    assert "local-0.1-py3-none-any.whl" in message


def test_an_index_whose_certificate_a_private_authority_signed_is_trusted_by_the_registrys_bundle(
    index, tmp_path
):
    authority, ca = Authority(), tmp_path / "ca.crt"
    ca.write_text(authority.own.crt)
    trust = authority.demanding(tmp_path / "tls", authority.issue("index"))
    trust.verify_mode = ssl.CERT_NONE  # of clients
    model_path = bundle_asking(tmp_path / "models", "alpha")
    with tls_front(index.url, trust) as front:
        url = front + urlsplit(index.url).path
        reason, message = failure(model_path, url)
        assert reason is Reason.DOWNLOAD_FAILED
        assert "invalid peer certificate" in message
        assert message.endswith("into the ModelRegistry's caBundle")
        record, _ = provided(model_path, url, ca=ca)
    assert "alpha==1.1" in packages(record)
