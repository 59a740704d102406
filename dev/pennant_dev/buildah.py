"""Image builds without a Docker daemon: buildah on a base image made by debootstrap.

What a build needs of this machine (its certificates, its pip settings) is mounted for the length
of a RUN and never becomes part of an image.
"""

import shutil
from pathlib import Path

from pennant_dev import packages
from pennant_dev.buildkey import build_flags, reference
from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shell import run, say, step

BASE = "localhost/python-base:3.11"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_SETTINGS = Path("/etc/pip.conf")
# Of the machine that ran debootstrap, or of no use in a container.
SURPLUS = (
    "etc/hostname",
    "etc/resolv.conf",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)


def build(name: str, archive: Path, settings: Settings) -> None:
    """Build one image of the Dockerfile into an archive."""
    packages.require_debian()
    packages.install(packages.IMAGES)
    _ensure_base(settings)
    run([*_buildah(settings), *bud_flags(name)], cwd=REPOSITORY)
    _push(reference(name), archive, settings)


def bud_flags(name: str) -> list[str]:
    """buildah's build command for one image."""
    mounts = [each for each in (CERTIFICATES, PIP_SETTINGS) if each.exists()]
    return [
        *("bud", "--layers", "--network=host", "--isolation=chroot"),
        *(f"--volume={each}:{each}:ro" for each in mounts),
        f"--build-arg=PYTHON_IMAGE={BASE}",
        *(*build_flags(name), "--file=Dockerfile", "."),
    ]


def _ensure_base(settings: Settings) -> None:
    if run([*_buildah(settings), "images", "--quiet", BASE], check=False).strip():
        return
    kept = settings.archives / "python-base-3.11.tar"
    if not kept.exists():
        with step(f"made {BASE}"):
            _make_base(kept, settings)
        return
    with step(f"read {BASE}"):
        run([*_buildah(settings), "pull", "--quiet", f"oci-archive:{kept}:{BASE}"])


def _make_base(kept: Path, settings: Settings) -> None:
    say(f"making {BASE} with debootstrap (about a minute, once)")
    context = settings.cache / "python-base.building"
    shutil.rmtree(context, ignore_errors=True)
    rootfs = context / "rootfs"
    rootfs.mkdir(parents=True)
    run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, rootfs])
    for each in SURPLUS:
        path = rootfs / each
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY rootfs/ /\n")
    run([*_buildah(settings), "bud", f"--tag={BASE}", context])
    _push(BASE, kept, settings)
    shutil.rmtree(context)


def _push(image: str, archive: Path, settings: Settings) -> None:
    """Write an archive under its final name only once it is whole."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    # Compressing costs more than it saves for a copy on the same disk.
    target = f"oci-archive:{partial}:{image}"
    run([*_buildah(settings), "push", "--quiet", "--disable-compression", image, target])
    partial.rename(archive)


def _buildah(settings: Settings) -> list[str]:
    """buildah with a store of its own, so that clearing our cache clears it too."""
    store = settings.cache / "buildah"
    return [
        *("buildah", "--storage-driver=overlay"),
        *(f"--root={store / 'root'}", f"--runroot={store / 'run'}"),
    ]
