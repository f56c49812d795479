"""OCI images as files: one made from a single program, and archives with only what is missing."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"

TAG = "org.opencontainers.image.ref.name"

LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'


def architecture() -> str:
    """Return this machine's architecture by Go's name."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def digest(data: bytes) -> str:
    """Return the digest of a blob as manifests write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write_program_image(
    archive: Path, reference: str, program: Path, entrypoint: list[str]
) -> None:
    """Write an archive with an image of one static program at the root of its file system."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer_tar:
        member = tarfile.TarInfo(program.name)
        member.mode, member.size = 0o755, program.stat().st_size
        with program.open("rb") as file:
            layer_tar.addfile(member, file)
    layer = buffer.getvalue()
    config = json.dumps({
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": entrypoint, "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }).encode()  # fmt: skip
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": describe(CONFIG_TYPE, config),
        "layers": [describe(LAYER_TYPE, layer)],
    }).encode()  # fmt: skip
    blobs = {digest(blob): blob for blob in (layer, config, manifest)}
    with tarfile.open(archive, "w") as tar:
        add_bytes(tar, "oci-layout", LAYOUT)
        add_bytes(tar, "index.json", index(reference, describe(MANIFEST_TYPE, manifest)))
        for name, blob in blobs.items():
            add_bytes(tar, blob_path(name), blob)


def write_archive(archive: Path, layout: Path, tag: str, reference: str, present: set[str]) -> int:
    """Write one image of an OCI layout folder as an archive; return the bytes of its blobs.

    Blobs whose digests are `present` where the archive goes are left out, so that an image of
    which only the last layer changed travels as that layer.
    """
    manifest_entry = find(layout, tag)
    manifest = json.loads((layout / blob_path(manifest_entry["digest"])).read_bytes())
    needed = [manifest_entry, manifest["config"], *manifest["layers"]]
    size = 0
    with tarfile.open(archive, "w") as tar:
        add_bytes(tar, "oci-layout", LAYOUT)
        add_bytes(tar, "index.json", index(reference, manifest_entry))
        for name in unique(blob["digest"] for blob in needed):
            if name not in present:
                tar.add(layout / blob_path(name), blob_path(name))
                size += (layout / blob_path(name)).stat().st_size
    return size


def find(layout: Path, tag: str) -> dict[str, Any]:
    """Return the index entry of an image in a layout folder, by its tag."""
    entries = json.loads((layout / "index.json").read_bytes())["manifests"]
    for entry in entries:
        if tag_of(entry) == tag:
            return {key: entry[key] for key in ("mediaType", "digest", "size")}
    raise KeyError(tag)


def has(layout: Path, tag: str) -> bool:
    """Return whether a layout folder holds an image with this tag."""
    try:
        find(layout, tag)
    except (KeyError, FileNotFoundError):
        return False
    return True


def rename(layout: Path, old: str, new: str) -> None:
    """Tag an image of a layout folder, and remove the tag from other images."""
    document = json.loads((layout / "index.json").read_bytes())
    kept = [entry for entry in document["manifests"] if tag_of(entry) not in {old, new}]
    renamed = {**find(layout, old), "annotations": {TAG: new}}
    write_index(layout, {**document, "manifests": [*kept, renamed]})


def prune(layout: Path, prefix: str, count: int) -> None:
    """Keep the newest images whose tags begin with `prefix`, and only blobs that are needed."""
    document = json.loads((layout / "index.json").read_bytes())
    matching = [entry for entry in document["manifests"] if tag_of(entry).startswith(prefix)]
    dropped = [tag_of(entry) for entry in matching[:-count]]
    if not dropped:
        return
    kept = [entry for entry in document["manifests"] if tag_of(entry) not in dropped]
    write_index(layout, {**document, "manifests": kept})
    needed: set[str] = set()
    for entry in kept:
        manifest = json.loads((layout / blob_path(entry["digest"])).read_bytes())
        blobs = [entry, manifest["config"], *manifest["layers"]]
        needed.update(blob["digest"] for blob in blobs)
    for path in (layout / "blobs" / "sha256").iterdir():
        if f"sha256:{path.name}" not in needed:
            path.unlink()


def write_index(layout: Path, document: dict[str, Any]) -> None:
    """Replace the index of a layout folder, whole or not at all."""
    fresh = layout / ".index.json.new"
    fresh.write_text(json.dumps(document))
    os.replace(fresh, layout / "index.json")


def tag_of(entry: dict[str, Any]) -> str:
    """Return the tag of an index entry, empty where it has none."""
    return str(entry.get("annotations", {}).get(TAG, ""))


def index(reference: str, manifest: dict[str, Any]) -> bytes:
    """Return the index of an archive with one named image."""
    named = {
        **manifest,
        "annotations": {
            "io.containerd.image.name": reference,
            TAG: reference.rpartition(":")[2],
        },
    }
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [named]}).encode()


def describe(media_type: str, blob: bytes) -> dict[str, Any]:
    """Return the descriptor of a blob."""
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def blob_path(name: str) -> str:
    """Return where a blob lies in a layout."""
    return f"blobs/{name.replace(':', '/')}"


def add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file with this content to an archive."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def unique(names: Iterable[str]) -> list[str]:
    """Return names in order, each once."""
    return list(dict.fromkeys(names))
