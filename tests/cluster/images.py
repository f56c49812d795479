"""The images of the Dockerfile: built when their inputs changed, brought into the cluster once."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.cluster import buildah, oci
from tests.cluster.cache import digest_of, digest_of_files, locked
from tests.cluster.kubeconfig import write_private
from tests.cluster.layout import IMAGES, ROOT, cache_root
from tests.cluster.progress import say, step

KEPT = 8
"""So many images of each target stay in the cache, the newest ones."""


@dataclass(frozen=True)
class Target:
    """A target of the Dockerfile."""

    name: str
    variable: str
    """Its name in `.cluster/images.env`."""
    with_source: bool
    """Whether our package is in it, or only what uv.lock says."""

    def digest(self) -> str:
        """Return the name of its inputs."""
        files = [ROOT / name for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock")]
        if self.with_source:
            files += [ROOT / "README.md", ROOT / "LICENSE", *package_files()]
        return digest_of(self.name, digest_of_files(ROOT, files))


TARGETS = (
    Target("engine", "ENGINE_IMAGE", with_source=True),
    Target("operator", "OPERATOR_IMAGE", with_source=True),
    Target("dask-operator", "DASK_OPERATOR_IMAGE", with_source=False),
    Target("s3", "S3_IMAGE", with_source=False),
)


class Destination(Protocol):
    """Where images go."""

    def images(self) -> set[str]:
        """Return the images that are there."""

    def blobs(self) -> set[str]:
        """Return the digests of image parts that are there."""

    def load(self, archive: Path) -> None:
        """Bring the image of an OCI archive in."""


def package_files() -> list[Path]:
    """Return the files of our package, without what Python writes beside them."""
    found = (ROOT / "voxk8s").rglob("*")
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def layout() -> Path:
    """Return the folder that keeps built images, with each layer once."""
    return cache_root() / "images" / "oci"


def ensure(cluster: Destination) -> dict[str, str]:
    """Build what changed, bring in what is missing, and return variable -> reference."""
    references = {}
    present = cluster.images()
    for target in TARGETS:
        tag = built(target)
        reference = f"docker.io/voxk8s/{target.name}:{tag}"
        references[target.variable] = reference.removeprefix("docker.io/")
        if reference not in present:
            with step(f"bring image {references[target.variable]} into the cluster"):
                bring(cluster, target, tag, reference)
    text = "".join(f"{variable}={reference}\n" for variable, reference in references.items())
    if not IMAGES.exists() or IMAGES.read_text() != text:
        write_private(IMAGES, text)
    return references


def built(target: Target) -> str:
    """Return the tag (a hash of the content) of a target's image, building it where needed."""
    record = layout().parent / "records" / f"{target.name}-{target.digest()}.json"
    with locked(layout().parent / ".lock"):
        tag = recorded(record)
        if tag is not None and oci.has(layout(), f"{target.name}-{tag}"):
            return tag
        with step(f"build image {target.name}"):
            buildah.build(target.name, layout(), f"{target.name}-new")
        return keep(target, record)


def recorded(record: Path) -> str | None:
    """Return the tag that inputs led to before, if they did."""
    try:
        return str(json.loads(record.read_text())["tag"])
    except (OSError, ValueError, KeyError):
        return None


def keep(target: Target, record: Path) -> str:
    """Name the image just built by its content, and drop the oldest ones."""
    manifest = oci.find(layout(), f"{target.name}-new")
    tag = str(manifest["digest"]).removeprefix("sha256:")[:16]
    oci.rename(layout(), f"{target.name}-new", f"{target.name}-{tag}")
    oci.prune(layout(), f"{target.name}-", KEPT)
    record.parent.mkdir(parents=True, exist_ok=True)
    write_private(record, json.dumps({"tag": tag}))
    return tag


def bring(cluster: Destination, target: Target, tag: str, reference: str) -> None:
    """Bring an image into the cluster: only those layers that it does not hold."""
    with tempfile.TemporaryDirectory(dir=layout().parent) as folder:
        archive = Path(folder) / "image.tar"
        oci.write_archive(archive, layout(), f"{target.name}-{tag}", reference, cluster.blobs())
        cluster.load(archive)


def report(references: dict[str, str]) -> None:
    """Print the references."""
    for variable, reference in references.items():
        say(f"  {variable}={reference}")
