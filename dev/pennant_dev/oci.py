"""Image archives (OCI layout in a tar file): writing a tiny one, reading the digest of any."""

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
    """What an archive holds."""

    reference: str
    digest: str


def inspect(archive: Path) -> list[Image]:
    """Every image named in the archive's index."""
    with tarfile.open(archive) as opened:
        member = opened.extractfile("index.json")
        index = json.loads(member.read()) if member else {}
    manifests = index.get("manifests", [])
    return [
        Image(each.get("annotations", {}).get(REFERENCE, ""), each["digest"]) for each in manifests
    ]


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
    index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    layout = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_tar({"oci-layout": layout, "index.json": index, **blobs}, mode=0o644))


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)  # its time is 0: equal files make an equal digest
            entry.size, entry.mode = len(content), mode
            opened.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
