"""Images built by buildah, kept in one OCI layout folder of the user's cache, each layer once."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.cluster import buildah, oci
from tests.tools.cluster.cache import locked
from tests.tools.cluster.images import Target
from tests.tools.cluster.kubeconfig import write_private
from tests.tools.cluster.paths import cache_root
from tests.tools.cluster.progress import step

KEPT = 8
"""So many images of each target stay in the cache, the newest ones."""


def folder() -> Path:
    """Return the layout folder."""
    return cache_root() / "images" / "oci"


def built(target: Target) -> str:
    """Return the tag (a hash of the content) of a target's image, building it where needed."""
    record = folder().parent / "records" / f"{target.name}-{target.digest()}.json"
    with locked(folder().parent / ".lock"):
        tag = recorded(record)
        if tag is not None and oci.has(folder(), f"{target.name}-{tag}"):
            return tag
        with step(f"build image {target.name}"):
            buildah.build(target.name, folder(), f"{target.name}-new")
        return keep(target, record)


def is_outdated(target: Target, tag: str) -> bool:
    """Return whether an image was dropped here for newer ones."""
    return not oci.has(folder(), f"{target.name}-{tag}")


def recorded(record: Path) -> str | None:
    """Return the tag that inputs led to before, if they did."""
    try:
        return str(json.loads(record.read_text())["tag"])
    except (OSError, ValueError, KeyError):
        return None


def keep(target: Target, record: Path) -> str:
    """Name the image just built by its content, and drop the oldest ones."""
    manifest = oci.find(folder(), f"{target.name}-new")
    tag = str(manifest["digest"]).removeprefix("sha256:")[:16]
    oci.rename(folder(), f"{target.name}-new", f"{target.name}-{tag}")
    oci.prune(folder(), f"{target.name}-", KEPT)
    write_private(record, json.dumps({"tag": tag}))
    return tag


@contextmanager
def archive(target: Target, tag: str, reference: str, present: set[str]) -> Iterator[Path]:
    """Return a built image as an archive, without blobs that its destination has."""
    with tempfile.TemporaryDirectory(dir=folder().parent) as temporary:
        path = Path(temporary) / "image.tar"
        oci.write_archive(path, folder(), f"{target.name}-{tag}", reference, present)
        yield path
