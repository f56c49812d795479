"""Image builds without a Docker engine: buildah with a storage of its own in the user's cache."""

import os
import shutil
from pathlib import Path

from tests.support.paths import ROOT
from tests.tools.cluster import debian_packages
from tests.tools.cluster.base_image import base
from tests.tools.cluster.cache import locked
from tests.tools.cluster.commands import run
from tests.tools.cluster.containerd import unmount_below
from tests.tools.cluster.paths import cache_root

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom the host trusts; builds trust the same, or they may not reach the package index."""

SECRET = "/run/secrets/host-ca"

MANY = 400
"""With more images than this, those in between of old builds go (and the next build is slow)."""

RUN_FOLDER = Path("/run/voxk8s-buildah")

LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=32768:32768")


def storage() -> Path:
    """Return where layers of builds are kept."""
    return cache_root() / "buildah"


def buildah(*words: str | Path, log: Path | None = None) -> str:
    """Run buildah on our storage."""
    folder = storage()
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    base_words: list[str | Path] = [
        "buildah", "--root", folder / "storage", "--runroot", RUN_FOLDER,
        "--storage-driver", "overlay",
    ]  # fmt: skip
    return run([*base_words, *words], env={"TMPDIR": str(folder / "tmp")}, cwd=ROOT, log=log)


def build(target: str, layout: Path, tag: str) -> None:
    """Build a target of the Dockerfile and put it into an OCI layout folder under a tag."""
    debian_packages.ensure(debian_packages.BUILD)
    with locked(storage() / ".lock"):
        try:
            log = storage() / "logs" / f"{target}.log"
            name = f"localhost/voxk8s-build-{target}"
            if len(buildah("images", "--all", "--quiet").split()) > MANY:
                buildah("rmi", "--prune", "--force")
            buildah("build", *options(), "--build-arg", f"BASE_IMAGE={base_image()}",
                    "--target", target, "-t", name, ROOT, log=log)  # fmt: skip
            copy(name, layout, tag)
        finally:
            # Its storage stays mounted otherwise.
            unmount_below((storage(), RUN_FOLDER))
            shutil.rmtree(RUN_FOLDER, ignore_errors=True)


def copy(name: str, layout: Path, tag: str) -> None:
    """Copy an image from the storage to an OCI layout folder, which keeps the layers it has.

    Not by `buildah push`: that packs every layer anew before it asks which ones are there.
    """
    source = f"containers-storage:[overlay@{storage() / 'storage'}+{RUN_FOLDER}]{name}:latest"
    kept_as_they_are = "--dest-oci-accept-uncompressed-layers"
    run(["skopeo", "copy", "--quiet", kept_as_they_are, source, f"oci:{layout}:{tag}"])


def options() -> list[str | Path]:
    """Return the options of every build: layers are kept, the host's settings passed on."""
    return [
        "--layers", "--pull-never", "--isolation", "chroot", "--network", "host", *LIMITS,
        *trust(), *index_settings(),
    ]  # fmt: skip


def trust() -> list[str]:
    """Return options that make installers in a build trust whom the host trusts."""
    if not AUTHORITIES.exists():
        return []
    return [
        f"--secret=id=host-ca,src={AUTHORITIES}",
        f"--build-arg=PIP_CERT={SECRET}",
        f"--build-arg=SSL_CERT_FILE={SECRET}",
    ]


def index_settings() -> list[str]:
    """Return options that pass on which package index the environment names, if it does."""
    index = os.environ.get("PIP_INDEX_URL")
    default = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or index
    found = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": default}
    return [f"--build-arg={name}={value}" for name, value in found.items() if value]


def base_image() -> str:
    """Return the name of the base image, which the first call brings into the storage."""
    folder = base()
    name = f"localhost/voxk8s-base:{folder.name}"
    if not has_image(name):
        buildah("build", "--isolation", "chroot", "-t", name, folder)
    return name


def has_image(name: str) -> bool:
    """Return whether the storage holds an image."""
    return bool(buildah("images", "--quiet", "--filter", f"reference={name}").strip())
