"""OCI images as files: names, what travels, what is kept."""

import json
import tarfile
from pathlib import Path

from tests.tools.cluster import oci


def add_image(layout: Path, tag: str, layers: list[bytes]) -> list[str]:
    """Put an image into a layout folder; return the digests of its blobs, layers last."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    config = json.dumps({"of": tag}).encode()
    manifest = json.dumps({
        "config": oci.describe(oci.CONFIG_TYPE, config),
        "layers": [oci.describe(oci.LAYER_TYPE, layer) for layer in layers],
    }).encode()  # fmt: skip
    for blob in (manifest, config, *layers):
        (layout / oci.blob_path(oci.digest(blob))).write_bytes(blob)
    index = layout / "index.json"
    document = json.loads(index.read_text()) if index.exists() else {"manifests": []}
    named = oci.describe(oci.MANIFEST_TYPE, manifest) | {"annotations": {oci.TAG: tag}}
    document["manifests"].append(named)
    index.write_text(json.dumps(document))
    return [oci.digest(blob) for blob in (manifest, config, *layers)]


def test_archive_leaves_out_what_is_there(tmp_path: Path) -> None:
    """Layers that the goal holds do not travel; manifest, configuration and new layers do."""
    manifest, config, old, new = add_image(tmp_path, "engine-1", [b"old", b"new"])
    archive = tmp_path / "image.tar"
    size = oci.write_archive(archive, tmp_path, "engine-1", "docker.io/voxk8s/engine:1", {old})
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
        index = json.loads(tar.extractfile("index.json").read())  # type: ignore[union-attr] # a file
    assert names == {"oci-layout", "index.json", *map(oci.blob_path, (manifest, config, new))}
    annotations = index["manifests"][0]["annotations"]
    assert annotations["io.containerd.image.name"] == "docker.io/voxk8s/engine:1"
    assert index["manifests"][0]["digest"] == manifest
    assert size == sum(
        (tmp_path / oci.blob_path(name)).stat().st_size for name in (manifest, config, new)
    )


def test_renamed_image_replaces_its_namesake(tmp_path: Path) -> None:
    """An image that is renamed is found under the new tag only, once."""
    add_image(tmp_path, "engine-1", [b"a"])
    wanted = add_image(tmp_path, "engine-new", [b"b"])[0]
    oci.rename(tmp_path, "engine-new", "engine-1")
    assert oci.find(tmp_path, "engine-1")["digest"] == wanted
    assert not oci.has(tmp_path, "engine-new")
    assert len(json.loads((tmp_path / "index.json").read_text())["manifests"]) == 1


def test_prune_keeps_the_newest_and_shared_layers(tmp_path: Path) -> None:
    """Old images of one prefix are deleted with their unshared blobs; other images stay."""
    first = add_image(tmp_path, "engine-1", [b"shared", b"one"])
    add_image(tmp_path, "engine-2", [b"shared", b"two"])
    add_image(tmp_path, "s3-1", [b"three"])
    oci.prune(tmp_path, "engine-", 1)
    present = {f"sha256:{path.name}" for path in (tmp_path / "blobs" / "sha256").iterdir()}
    assert [oci.has(tmp_path, tag) for tag in ("engine-1", "engine-2", "s3-1")] == [
        False,
        True,
        True,
    ]
    assert oci.digest(b"shared") in present
    assert present.isdisjoint({first[0], first[1], oci.digest(b"one")})


def test_program_image_is_complete_and_deterministic(tmp_path: Path) -> None:
    """The image of one program holds it as a layer, and the same program gives the same bytes."""
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    archives = [tmp_path / "1.tar", tmp_path / "2.tar"]
    for archive in archives:
        oci.write_program_image(archive, "example/pause:1", program, ["/pause"])
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as tar:
        index = json.loads(tar.extractfile("index.json").read())  # type: ignore[union-attr] # a file
        digest = index["manifests"][0]["digest"]
        manifest = json.loads(tar.extractfile(oci.blob_path(digest)).read())  # type: ignore[union-attr]  # a file
        assert oci.blob_path(manifest["layers"][0]["digest"]) in tar.getnames()
