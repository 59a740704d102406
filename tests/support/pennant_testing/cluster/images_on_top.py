"""Images that somebody builds on ours, by what builds ours: Docker, or buildah in its own store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_dev import buildah, images
from pennant_dev.buildkey import reference
from pennant_dev.settings import Settings
from pennant_dev.shell import run

BASE = "pennant-serving"


@contextmanager
def built(context: Path, name: str, settings: Settings) -> Iterator[str]:
    """The name of an image made by the Dockerfile of a folder, on BASE as the sources are now.

    DevError with the end of what the build printed when it fails.
    """
    commands = builder_with_base(settings)
    if commands == ["docker"]:
        run(["docker", "build", f"--tag={name}", context])
    else:
        build = ("bud", "--isolation=chroot", "--pull-never", f"--tag={name}")
        run([*commands, *build, f"--file={context / 'Dockerfile'}", context])
    try:
        yield name
    finally:
        run([*commands, "rmi", name])


def builder_with_base(settings: Settings) -> list[str]:
    """The program, with its store, that has BASE as the sources are now."""
    if images.uses_docker(settings):
        images.build([BASE], settings)
        return ["docker"]
    base = images.folder(BASE, settings)
    buildah.take_back(reference(BASE), base, settings)
    return buildah.command(settings)


def variables_of_store(settings: Settings, folder: Path) -> dict[str, str]:
    """By which a plain `buildah` uses the store of ours; what they name lies in the folder."""
    store, file = settings.cache / "buildah", folder / "storage.conf"
    places = f'graphroot = "{store / "root"}"\nrunroot = "{store / "run"}"\n'
    file.write_text(f'[storage]\ndriver = "overlay"\n{places}')
    return {"CONTAINERS_STORAGE_CONF": str(file), "BUILDAH_ISOLATION": "chroot"}


def run_in(name: str, words: list[str], settings: Settings) -> str:
    """What a command prints in a container of an image, as the image's own user."""
    if images.uses_docker(settings):
        return run(["docker", "run", "--rm", "--read-only", "--network=none", name, *words])
    commands = buildah.command(settings)
    container = run([*commands, "from", "--pull-never", name]).strip()
    try:
        return run([*commands, "run", "--isolation=chroot", container, "--", *words])
    finally:
        run([*commands, "rm", container])
