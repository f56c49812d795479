"""Which Kubernetes is meant, and the commands that work on any of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.cluster import images, programs
from tests.cluster.bare import Bare
from tests.cluster.commands import succeeds
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import write_private
from tests.cluster.layout import ENVIRONMENT, FLAVOUR, IMAGES, KUBECONFIG, TOOLS
from tests.cluster.progress import say


class Cluster(Protocol):
    """A Kubernetes that can be started, stopped and given images."""

    name: str

    def up(self) -> None:
        """Start it and write the kubeconfig; does nothing where all runs."""

    def down(self) -> None:
        """Stop it and leave nothing behind; does nothing where nothing runs."""

    def status(self) -> list[str]:
        """Describe it in lines."""

    def is_running(self) -> bool:
        """Return whether it answers."""

    def images(self) -> set[str]:
        """Return the images that pods can use."""

    def blobs(self) -> set[str]:
        """Return the digests of image parts that need not be brought in again."""

    def load(self, archive: Path) -> None:
        """Bring the image of an OCI archive in."""


FLAVOURS: dict[str, Callable[[], Cluster]] = {"bare": Bare}


def chosen(wanted: str) -> Cluster:
    """Return the cluster that is meant: asked for, chosen by `up` before, or found out."""
    recorded = FLAVOUR.read_text().strip() if FLAVOUR.exists() else ""
    if wanted == "auto":
        wanted = recorded or ("kind" if docker_answers() else "bare")
    elif recorded and wanted != recorded:
        raise ClusterError(
            f"the cluster of this clone is {recorded}, not {wanted}: call `make cluster-down` first"
        )
    return FLAVOURS[wanted]()


def docker_answers() -> bool:
    """Return whether there is a Docker engine to use."""
    return succeeds(["docker", "info"])


def up(wanted: str) -> None:
    """Start the cluster."""
    cluster = chosen(wanted)
    cluster.up()
    write_private(FLAVOUR, f"{cluster.name}\n")
    say(f"cluster: {cluster.name}, kubeconfig: {KUBECONFIG}")


def down(wanted: str) -> None:
    """Stop the cluster and forget what was known of it."""
    chosen(wanted).down()
    for path in (KUBECONFIG, FLAVOUR, ENVIRONMENT, IMAGES):
        path.unlink(missing_ok=True)


def status(wanted: str) -> None:
    """Print what runs."""
    for line in chosen(wanted).status():
        print(line)


def build_images(wanted: str) -> None:
    """Build the images and bring them into the cluster."""
    images.report(images.ensure(running(wanted)))


def running(wanted: str) -> Cluster:
    """Return the cluster of this clone, which must be up."""
    cluster = chosen(wanted)
    if not cluster.is_running():
        raise ClusterError("no cluster of this clone is running: call `make cluster-up` first")
    return cluster


def tools(_: str) -> None:
    """Make kubectl, helm and kubeconform available under `.tools/bin`."""
    programs.link(
        programs.kubectl(),
        programs.built(programs.HELM) / "helm",
        programs.built(programs.KUBECONFORM) / "kubeconform",
    )
    say(f"tools: {TOOLS}")


COMMANDS: dict[str, Callable[[str], None]] = {
    "up": up,
    "down": down,
    "images": build_images,
    "status": status,
    "tools": tools,
}
