"""A cluster that is already there: the one that the user's kubeconfig points to."""

import os

from tests.tools.cluster import docker, go_programs, oci_layout
from tests.tools.cluster.commands import run, succeeds
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.images import Target
from tests.tools.cluster.kubeconfig import write_private
from tests.tools.cluster.paths import KUBECONFIG


class Current:
    """Somebody else's cluster: we install into it, and never start or stop it."""

    name = "current"
    takes_images_early = False

    def up(self) -> None:
        """Copy the current context of the kubeconfig and see whether its cluster answers."""
        kubectl = go_programs.kubectl()
        go_programs.link(kubectl)
        # Once: later calls mean the same cluster, whatever the kubeconfig points to by then.
        if not KUBECONFIG.exists():
            text = run([kubectl, "config", "view", "--raw", "--flatten", "--minify"])
            write_private(KUBECONFIG, text)
        if not self.is_running():
            raise ClusterError("the cluster of the current kubeconfig (KUBECONFIG) does not answer")

    def down(self) -> None:
        """Leave the cluster as it is: it is not ours to stop."""

    def status(self) -> list[str]:
        """Return whether the API server answers."""
        return [f"current cluster: {'ready' if self.is_running() else 'does not answer'}"]

    def is_running(self) -> bool:
        """Return whether its API server is ready."""
        words = ["--kubeconfig", str(KUBECONFIG), "get", "--raw", "/readyz"]
        return KUBECONFIG.exists() and succeeds([str(go_programs.kubectl()), *words])

    def prefix(self) -> str:
        """Return the registry folder that the cluster pulls from."""
        registry = os.environ.get("IMAGE_REGISTRY")
        if not registry:
            raise ClusterError(
                "CLUSTER=current needs IMAGE_REGISTRY: a registry (with a folder, if you like)"
                " to which we push and from which the cluster pulls"
            )
        return registry.rstrip("/")

    def images(self) -> set[str]:
        """Return an empty set: a push to a registry skips the blobs that it has."""
        return set()

    def built(self, target: Target) -> str:
        """Build an image by whatever this machine has."""
        return docker.built(target) if docker.answers() else oci_layout.built(target)

    def bring(self, target: Target, tag: str, reference: str) -> None:
        """Push an image to the registry."""
        if docker.answers():
            run(["docker", "tag", docker.name(target, tag), reference])
            run(["docker", "push", "--quiet", reference])
        else:
            source = f"oci:{oci_layout.folder()}:{target.name}-{tag}"
            run(["skopeo", "copy", "--quiet", source, f"docker://{reference}"])
