"""Which files an image depends on, and a hash over them: an unchanged image is not built again."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

CODE = ("pyproject.toml", "README.md", "cli", "registry", "operator", "serving", "examples")
SHARED = "requirements/shared.txt"
TARGETS: dict[str, tuple[str, ...]] = {
    "pennant-operator": ("requirements/operator.txt", *CODE),
    "pennant-serving": ("requirements/serving.txt", SHARED, *CODE),
    "pennant-newsreco": ("requirements/serving.txt", SHARED, *CODE),
    "pennant-mlflow": ("requirements/mlflow.txt", SHARED),
    "pennant-serving-boosters": ("requirements/serving-boosters.txt", SHARED, *CODE),
}
# Another image from a target of the Dockerfile, by a build argument; built when it is asked for.
VARIANTS: dict[str, tuple[str, str]] = {
    "pennant-serving-boosters": ("pennant-serving", "SERVING_LOCK=serving-boosters"),
}
USUAL = tuple(name for name in TARGETS if name not in VARIANTS)
ALWAYS = ("Dockerfile", ".dockerignore", "requirements/image-tools.txt")
NOT_COPIED = {"__pycache__", ".venv"}


def reference(name: str) -> str:
    """The image's name in the cluster."""
    return f"localhost/{name}:dev"


def build_flags(name: str) -> list[str]:
    """What tells Docker or buildah which image to make of the Dockerfile."""
    target, argument = VARIANTS.get(name, (name, ""))
    chosen = [f"--build-arg={argument}"] if argument else []
    return [*chosen, f"--target={target}", f"--tag={reference(name)}"]


def build_key(repository: Path, name: str) -> str:
    """A short hash over names and contents of the files an image is built from."""
    whole = hashlib.sha256()
    for root in (*ALWAYS, *TARGETS[name]):
        for path in _files(repository / root):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path.relative_to(repository).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()[:12]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for each in sorted(path.rglob("*")) if path.is_dir() else ():
        if each.is_file() and not NOT_COPIED & set(each.parts):
            yield each
