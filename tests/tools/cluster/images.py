"""The images of the Dockerfile: built when their inputs changed, brought into the cluster once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.paths import ROOT
from tests.tools.cluster.cache import digest_of, digest_of_files
from tests.tools.cluster.kubeconfig import write_private
from tests.tools.cluster.paths import IMAGES
from tests.tools.cluster.progress import say, step


@dataclass(frozen=True)
class Target:
    """A target of the Dockerfile."""

    name: str
    variable: str
    """Its name in `.cluster/images.env`."""
    with_source: bool
    """Whether it contains our package, or only the dependencies in uv.lock."""

    def digest(self) -> str:
        """Return the name of its inputs."""
        names = ["Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock"]
        names += [".ci/uv.txt", ".ci/build-tools.txt"]
        files = [ROOT / name for name in names]
        if self.with_source:
            files += [ROOT / name for name in ("README.md", "LICENSE", "build_backend.py")]
            files += package_files()
        return digest_of(self.name, digest_of_files(ROOT, files))


TARGETS = (
    Target("engine", "ENGINE_IMAGE", with_source=True),
    Target("operator", "OPERATOR_IMAGE", with_source=True),
    Target("dask-operator", "DASK_OPERATOR_IMAGE", with_source=False),
    Target("s3", "S3_IMAGE", with_source=False),
)

LOCAL_PREFIX = "docker.io/voxk8s"
"""What containerd makes of `voxk8s/…`, the way in which pods name images of no registry."""


class Destination(Protocol):
    """Where images go, and who builds them for it."""

    def prefix(self) -> str:
        """Return what image names begin with there."""

    def images(self) -> set[str]:
        """Return the images that are there."""

    takes_images_early: bool
    """Whether images can be brought in before the cluster runs."""

    def built(self, target: Target) -> str:
        """Build an image where its inputs changed; return its tag, a hash of its content."""

    def bring(self, target: Target, tag: str, reference: str) -> None:
        """Bring a built image in under this name."""


def package_files() -> list[Path]:
    """Return the files of our package, without what Python and the C compiler write beside them."""
    return [
        path
        for path in (ROOT / "voxk8s").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    ]


def build(cluster: Destination) -> None:
    """Build what changed."""
    for target in TARGETS:
        cluster.built(target)


def ensure(cluster: Destination) -> dict[str, str]:
    """Build what changed, bring in what is missing, and return variable -> reference."""
    references = {}
    prefix = cluster.prefix()
    present = cluster.images()
    for target in TARGETS:
        tag = cluster.built(target)
        reference = f"{prefix}/{target.name}:{tag}"
        references[target.variable] = reference.removeprefix("docker.io/")
        if reference not in present:
            with step(f"bring image {references[target.variable]} into the cluster"):
                cluster.bring(target, tag, reference)
    text = "".join(f"{variable}={reference}\n" for variable, reference in references.items())
    if not IMAGES.exists() or IMAGES.read_text() != text:
        write_private(IMAGES, text)
    return references


def report(references: dict[str, str]) -> None:
    """Print the references."""
    for variable, reference in references.items():
        say(f"  {variable}={reference}")
