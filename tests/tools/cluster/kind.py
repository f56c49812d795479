"""Kubernetes in Docker, by kind: the cluster where a Docker engine answers."""

from pathlib import Path

from tests.support.paths import ROOT
from tests.tools.cluster import docker, go_programs
from tests.tools.cluster.cache import digest_of
from tests.tools.cluster.commands import run, succeeds
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.images import LOCAL_PREFIX, Target
from tests.tools.cluster.paths import KUBECONFIG
from tests.tools.cluster.progress import step

NAME = f"voxk8s-{digest_of(str(ROOT))[:8]}"
"""One cluster a clone: clones do not disturb each other."""

NODE = f"{NAME}-control-plane"


class Kind:
    """A cluster of one node in a container."""

    name = "kind"
    takes_images_early = False

    def up(self) -> None:
        """Create it, or start it again after the machine or the engine was restarted."""
        if not docker.answers():
            raise ClusterError("CLUSTER=kind needs a Docker engine that answers `docker info`")
        go_programs.link(go_programs.kubectl())
        if NAME in self.existing() and not self.revived():
            self.down()
        if NAME not in self.existing():
            with step("Kubernetes in Docker"):
                self.kind("create", "cluster", "--name", NAME, "--wait", "180s",
                          "--kubeconfig", KUBECONFIG)  # fmt: skip
        self.kind("export", "kubeconfig", "--name", NAME, "--kubeconfig", KUBECONFIG)

    def down(self) -> None:
        """Delete it."""
        if docker.answers() and NAME in self.existing():
            with step("delete the cluster"):
                self.kind("delete", "cluster", "--name", NAME)

    def status(self) -> list[str]:
        """Return whether the API server answers."""
        return [f"kind cluster {NAME}: {'ready' if self.is_running() else 'not running'}"]

    def is_running(self) -> bool:
        """Return whether its API server is ready."""
        words = ["--kubeconfig", str(KUBECONFIG), "get", "--raw", "/readyz"]
        return KUBECONFIG.exists() and succeeds([str(go_programs.kubectl()), *words])

    def prefix(self) -> str:
        """Return what image names begin with on the node."""
        return LOCAL_PREFIX

    def images(self) -> set[str]:
        """Return the images on the node."""
        return set(
            run(["docker", "exec", NODE, "ctr", "-n", "k8s.io", "images", "ls", "-q"]).split()
        )

    def built(self, target: Target) -> str:
        """Build an image by the engine."""
        return docker.built(target)

    def bring(self, target: Target, tag: str, reference: str) -> None:
        """Copy an image from the engine to the node."""
        self.kind("load", "docker-image", docker.name(target, tag), "--name", NAME)

    def existing(self) -> set[str]:
        """Return the names of all kind clusters of the engine."""
        return set(self.kind("get", "clusters").split())

    def revived(self) -> bool:
        """Start the node's container if it is stopped; return whether the cluster answers then."""
        run(["docker", "start", NODE])
        self.kind("export", "kubeconfig", "--name", NAME, "--kubeconfig", KUBECONFIG)
        words = ["--kubeconfig", str(KUBECONFIG), "wait", "node", "--all", "--for=condition=Ready"]
        return succeeds([str(go_programs.kubectl()), *words, "--timeout=60s"], timeout=90)

    def kind(self, *words: str | Path) -> str:
        """Run kind."""
        return run([go_programs.built(go_programs.KIND) / "kind", *words])
