"""Image builds without a Docker daemon: buildah on a base image made by mmdebstrap.

What a build needs of this machine (its certificates, its pip and uv settings) is mounted for the
length of a RUN and never becomes part of an image.
"""

import shutil
from hashlib import sha256
from pathlib import Path

from pennant_dev import packages
from pennant_dev.buildkey import build_flags, reference
from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shelf import BLOBS
from pennant_dev.shell import eprint, run, step

SUITE = "bookworm"
# What Debian's essential packages lack that Python, its wheels and TLS need.
PACKAGES = "python3,python3-venv,ca-certificates,tzdata,libstdc++6"
# Of no use in a container.
SURPLUS = ("doc", "man", "locale")
BOOTSTRAP = (
    *("mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGES}"),
    # Without it Debian 12 installs all of Perl, to move files into /usr that are there already.
    "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
    *(f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in SURPLUS),
    # Of the machine that makes it.
    '--customize-hook=rm "$1/etc/hostname" "$1/etc/resolv.conf"',
    *("--dpkgopt=force-unsafe-io", SUITE),
)
BASE = f"localhost/python-base:{sha256(' '.join(BOOTSTRAP).encode()).hexdigest()[:12]}"
MOUNTED = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf", "/etc/uv/uv.toml")


def build(name: str, folder: Path, settings: Settings) -> None:
    """Build one image of the Dockerfile into a folder of the shelf."""
    packages.require_debian()
    packages.install(packages.LOCAL)
    _ensure_base(settings)
    run([*command(settings), *bud_flags(name)], cwd=REPOSITORY)
    _copy(reference(name), folder, settings)


def bud_flags(name: str) -> list[str]:
    """buildah's build command for one image."""
    return [
        *("bud", "--layers", "--network=host", "--isolation=chroot"),
        *(f"--volume={each}:{each}:ro" for each in MOUNTED if Path(each).exists()),
        f"--build-arg=PYTHON_IMAGE={BASE}",
        *(*build_flags(name), "--file=Dockerfile", "."),
    ]


def _ensure_base(settings: Settings) -> None:
    if run([*command(settings), "images", "--quiet", BASE], check=False).strip():
        return
    eprint(f"making {BASE} with mmdebstrap (under a minute, once)")
    context = settings.cache / "python-base.building"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    with step(f"made {BASE}"):
        run([*BOOTSTRAP, context / "root.tar"])
        (context / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
        run([*command(settings), "bud", f"--tag={BASE}", context])
    shutil.rmtree(context)


def _copy(image: str, folder: Path, settings: Settings) -> None:
    """Out of buildah's store, under its final name only once it is whole.

    As it is: compressing costs more than it saves for a copy on the same disk.
    """
    building = settings.cache / "image.building"
    shutil.rmtree(building, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    run(
        [
            *("skopeo", "copy", "--quiet", "--dest-oci-accept-uncompressed-layers"),
            f"--dest-shared-blob-dir={folder.parent / BLOBS}",
            _stored(image, settings),
            f"oci:{building}:{image}",
        ]
    )
    building.rename(folder)


def take_back(image: str, folder: Path, settings: Settings) -> None:
    """From the shelf into buildah's store, where an image of other sources may have its name."""
    run(
        [
            *("skopeo", "copy", "--quiet", f"--src-shared-blob-dir={folder.parent / BLOBS}"),
            f"oci:{folder}:{image}",
            _stored(image, settings),
        ]
    )


def _stored(image: str, settings: Settings) -> str:
    """What skopeo calls an image of buildah's store."""
    store = settings.cache / "buildah"
    return f"containers-storage:[overlay@{store / 'root'}+{store / 'run'}]{image}"


def command(settings: Settings) -> list[str]:
    """buildah with a store of its own, so that clearing our cache clears it too."""
    store = settings.cache / "buildah"
    return [
        *("buildah", "--storage-driver=overlay"),
        *(f"--root={store / 'root'}", f"--runroot={store / 'run'}"),
    ]
