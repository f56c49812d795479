"""Images made from ours by a Dockerfile of a user, such as that of a package of kernels."""

import shutil
from pathlib import Path

from tests.tools.cluster import buildah, debian_packages, oci, oci_layout
from tests.tools.cluster.bare_processes import CONTAINERD
from tests.tools.cluster.cache import locked
from tests.tools.cluster.commands import run
from tests.tools.cluster.containerd import unmount_below
from tests.tools.cluster.images import LOCAL_PREFIX, Target


def bring(context: Path, target: str, argument: str, base: str) -> str:
    """Build a target of a Dockerfile, and return its name on the bare cluster.

    `argument` is the build argument that names the image below it, `base` that image by its
    reference, as `.cluster/images.env` has it.
    """
    made = Target(f"derived-{target}", "", with_source=False)
    with locked(oci_layout.folder().parent / ".lock"):
        _build(context, target, argument, base.removeprefix("voxk8s/").replace(":", "-"), made.name)
        digest = str(oci.find(oci_layout.folder(), f"{made.name}-new")["digest"])
        tag = digest.removeprefix("sha256:")[:16]
        oci.rename(oci_layout.folder(), f"{made.name}-new", f"{made.name}-{tag}")
        oci.prune(oci_layout.folder(), f"{made.name}-", 1)
    reference = f"{LOCAL_PREFIX}/{made.name}:{tag}"
    if reference not in CONTAINERD.images():
        with oci_layout.archive(made, tag, reference, CONTAINERD.contents()) as archive:
            CONTAINERD.load(archive)
    return reference.removeprefix("docker.io/")


def _build(context: Path, target: str, argument: str, base: str, name: str) -> None:
    """Build by buildah into the OCI layout folder, which has the image `base`."""
    debian_packages.ensure(debian_packages.BUILD)
    below, made = f"localhost/voxk8s-below-{target}", f"localhost/voxk8s-{name}"
    with locked(buildah.storage() / ".lock"):
        try:
            storage = f"[overlay@{buildah.storage() / 'storage'}+{buildah.RUN_FOLDER}]"
            kept = f"containers-storage:{storage}{below}:latest"
            run(["skopeo", "copy", "--quiet", f"oci:{oci_layout.folder()}:{base}", kept])
            words = ["--build-arg", f"BASE_IMAGE={buildah.base_image()}"]
            words += ["--build-arg", f"{argument}={below}", "--target", target, "-t", made]
            log = buildah.storage() / "logs" / f"{name}.log"
            buildah.buildah("build", *buildah.options(), *words, context, log=log)
            buildah.copy(made, oci_layout.folder(), f"{name}-new")
        finally:
            unmount_below((buildah.storage(), buildah.RUN_FOLDER))
            shutil.rmtree(buildah.RUN_FOLDER, ignore_errors=True)
