"""Images in the OCI layout, a folder or a tar file: writing a tiny one, reading digests of any."""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE = "org.opencontainers.image.ref.name"
KIND = "application/vnd.oci.image"


@dataclass(frozen=True)
class Image:
    """What a layout holds."""

    reference: str
    digest: str


def inspect(layout: Path) -> list[Image]:
    """Every image named in the index of an archive or a folder."""
    return [
        Image(each.get("annotations", {}).get(REFERENCE, ""), each["digest"])
        for each in index(layout)["manifests"]
    ]


def index(layout: Path) -> Any:
    """The index of an archive or a folder, as JSON."""
    if layout.is_dir():
        return json.loads((layout / "index.json").read_bytes())
    with tarfile.open(layout) as opened:
        member = opened.extractfile("index.json")
        return json.loads(member.read()) if member else {"manifests": []}


def write_single_binary(
    archive: Path, binary: Path, reference: str, user: str = "65535:65535"
) -> None:
    """An archive of an image that holds one static program; without a user it runs as root."""
    layer = _tar({binary.name: binary.read_bytes()}, mode=0o755)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [f"/{binary.name}"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    settings = json.dumps(config).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{KIND}.manifest.v1+json",
            "config": _descriptor(f"{KIND}.config.v1+json", settings),
            "layers": [_descriptor(f"{KIND}.layer.v1.tar", layer)],
        }
    ).encode()
    entry = _descriptor(f"{KIND}.manifest.v1+json", manifest)
    entry["annotations"] = {REFERENCE: reference}
    blobs = {f"blobs/sha256/{_digest(each)[7:]}": each for each in (layer, settings, manifest)}
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_tar({**heads([entry]), **blobs}, mode=0o644))


def heads(manifests: list[Any]) -> dict[str, bytes]:
    """The two files of a layout that are no blobs."""
    layout = {"imageLayoutVersion": "1.0.0"}
    listed = {"schemaVersion": 2, "manifests": manifests}
    return {"oci-layout": json.dumps(layout).encode(), "index.json": json.dumps(listed).encode()}


def add(archive: tarfile.TarFile, files: dict[str, bytes], mode: int = 0o644) -> None:
    """Files for an archive: equal ones make an equal digest, as their time is 0."""
    for name, content in files.items():
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), mode
        archive.addfile(entry, io.BytesIO(content))


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        add(opened, files, mode)
    return buffer.getvalue()
