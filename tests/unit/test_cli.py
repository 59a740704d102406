"""The command line: how it is called, what it is built from, and how it ends."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pennant_cli.app import app
from pennant_cli.output import working
from pennant_cli.packages.image.builders import ImageError, builder_of, repository
from pennant_cli.packages.image.context import dockerfile, write_context
from pennant_cli.version_names import VersionName, version_name
from pennant_registry.lock_form import EnvironmentLock
from pennant_serving.environment.asked import read_asked
from pennant_serving.environment.pins import Pin, encode
from pennant_testing.packages.bundles import bundle_asking
from pennant_testing.packages.wheels import wheel

pytestmark = pytest.mark.unit

COMMANDS = (["lock"], ["image", "build"], ["replay"], ["audit"])


def test_a_version_is_named_by_its_model_and_its_number():
    assert version_name("news/8") == VersionName("news", 8)
    assert str(version_name("a b/12")) == "a b/12"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("news", "'news' names no version: write MODEL/VERSION, such as news/8"),
        ("/8", "model name is empty"),
        ("news/", "version '' is no number"),
        ("news/08", "version '08' is no number"),
        ("news/production", "version 'production' is no number"),
        ("team/news/8", "contains '/'"),
    ],
)
def test_what_names_no_version_is_refused_by_value(text: str, problem: str):
    with pytest.raises(typer.BadParameter, match=problem):
        version_name(text)


@pytest.mark.parametrize("command", [*COMMANDS, [], ["image"]])
def test_every_command_has_help(command: list[str]):
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert ("Example:" in done.stdout) is (command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [["lock"], ["lock", "news"], ["lock", "news/8", "--no-such"], ["image", "build", "news/8"]],
)
def test_who_calls_it_wrongly_reads_so_on_standard_error(arguments: list[str]):
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("registry.example.com:5000/ml/news:8", "registry.example.com:5000/ml/news"),
        ("registry.example.com:5000/ml/news", "registry.example.com:5000/ml/news"),
        ("news:8", "news"),
    ],
)
def test_an_image_is_named_by_its_digest_in_place_of_its_tag(name: str, without: str):
    assert repository(name) == without


def test_a_builder_that_nobody_knows_is_refused_by_name():
    with pytest.raises(ImageError, match="builder 'kaniko' is none of docker, buildah"):
        builder_of("kaniko")


def test_the_image_is_the_serving_image_with_packages_as_byte_code_and_its_own_user():
    lines = dockerfile("base:1", "3.12", ["--default-index=https://a/simple"], has_account=False)
    first, *_, install, last = lines.splitlines()
    assert (first, last) == ("FROM base:1", "USER 65532:65532")
    assert "--compile-bytecode" in install
    assert "'--default-index=https://a/simple'" in install
    assert "netrc" not in lines
    assert "type=secret,id=netrc" in dockerfile("base:1", "", [], has_account=True)


def context(tmp_path: Path, lock: EnvironmentLock | None) -> tuple[list[str], str]:
    """The requirements and the Dockerfile that are written for a bundle."""
    bundle = bundle_asking(tmp_path, "mlflow==2.19.0", "alpha>=1", "-c limits.txt")
    (bundle / "limits.txt").write_text("beta<3\n")
    wheel(bundle / "code", "local", "0.1")
    folder = tmp_path / "context"
    folder.mkdir()
    write_context(folder, "base:1", read_asked(bundle), lock, [], has_account=False)
    assert [path.name for path in (folder / "wheels").iterdir()] == ["local-0.1-py3-none-any.whl"]
    lines = (folder / "requirements.txt").read_text().splitlines()
    return lines, (folder / "Dockerfile").read_text()


def test_an_image_has_what_the_bundle_asks_for_and_what_the_server_needs(tmp_path: Path):
    lines, text = context(tmp_path, None)
    assert {"mlflow-skinny==2.19.0", "alpha>=1"} < set(lines)
    assert "/asked/wheels/local-0.1-py3-none-any.whl" in lines
    assert any(line.startswith("starlette") for line in lines)
    assert (tmp_path / "context" / "constraints.txt").read_text() == "beta<3\n"
    assert "--no-deps" not in text


def test_an_image_of_a_locked_version_has_exactly_the_packages_of_the_lock(tmp_path: Path):
    pins = [Pin("alpha", "1.1", "ab" * 32), Pin("local", "0.1", "cd" * 32)]
    lines, text = context(tmp_path, EnvironmentLock("0" * 64, "3.9", encode(pins)))
    assert lines == ["alpha===1.1", "/asked/wheels/local-0.1-py3-none-any.whl"]
    assert "--no-deps" in text
    assert '"3.9"' in text


def test_what_is_worked_on_is_no_markup(monkeypatch: pytest.MonkeyPatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    with working("registering model[/x]"):
        pass
    assert "registering model[/x]" in terminal.getvalue()
