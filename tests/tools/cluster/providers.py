"""Which Kubernetes is meant, and the commands that work on any of them."""

from collections.abc import Callable
from typing import Protocol

from tests.tools.cluster import charts, docker, go_programs, images, s3_server
from tests.tools.cluster.bare import Bare
from tests.tools.cluster.cache import locked
from tests.tools.cluster.current import Current
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.kind import Kind
from tests.tools.cluster.kubeconfig import write_private
from tests.tools.cluster.paths import ENVIRONMENT, IMAGES, KUBECONFIG, LOCAL, PROVIDER, TOOLS
from tests.tools.cluster.progress import say
from tests.tools.cluster.side_by_side import side_by_side


class Cluster(images.Destination, Protocol):
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


PROVIDERS: dict[str, Callable[[], Cluster]] = {"bare": Bare, "current": Current, "kind": Kind}


def chosen(wanted: str) -> Cluster:
    """Return the cluster that is meant: asked for, chosen by `up` before, or found out."""
    recorded = PROVIDER.read_text().strip() if PROVIDER.exists() else ""
    if wanted == "auto":
        wanted = recorded or ("kind" if docker.answers() else "bare")
    elif recorded and wanted != recorded:
        raise ClusterError(
            f"the cluster of this clone is {recorded}, not {wanted}: call `make cluster-down` first"
        )
    return PROVIDERS[wanted]()


def running(wanted: str) -> Cluster:
    """Return the cluster of this clone, which must be up."""
    cluster = chosen(wanted)
    if not cluster.is_running():
        raise ClusterError("no cluster of this clone is running: call `make cluster-up` first")
    return cluster


def remembered(wanted: str) -> Cluster:
    """Return the cluster that is meant, on record: so `down` stops what a failing start left."""
    cluster = chosen(wanted)
    write_private(PROVIDER, f"{cluster.name}\n")
    return cluster


def up(wanted: str) -> None:
    """Start the cluster."""
    start(remembered(wanted))


def start(cluster: Cluster) -> None:
    """Start a cluster and say where it is."""
    cluster.up()
    say(f"cluster: {cluster.name}, kubeconfig: {KUBECONFIG}")


def down(wanted: str) -> None:
    """Stop the cluster and forget what was known of it."""
    cluster = chosen("auto" if PROVIDER.exists() else wanted)
    s3_server.disconnect()
    if cluster.name == "current" and ENVIRONMENT.exists():
        # A cluster that stays: what this clone installed there goes.
        charts.uninstall()
    cluster.down()
    for path in (KUBECONFIG, PROVIDER, ENVIRONMENT, IMAGES):
        path.unlink(missing_ok=True)


def status(wanted: str) -> None:
    """Print what runs."""
    for line in chosen(wanted).status():
        print(line)


def build_images(wanted: str) -> None:
    """Build the images and bring them into the cluster."""
    images.report(images.ensure(running(wanted)))


def install(wanted: str) -> None:
    """Install the dask-kubernetes operator, an S3 server and voxk8s; write `.cluster/env`.

    Programs, images and the cluster itself, as far as they are missing, are made side by side.
    """
    cluster = remembered(wanted)
    ready = images.ensure if cluster.takes_images_early else images.build
    side_by_side(lambda: start(cluster), lambda: ready(cluster), go_programs.helm)
    with locked(LOCAL / ".install.lock"):
        releases = charts.releases(images.ensure(cluster))
        charts.install(releases)
        # Before the operator is ready: the store is of use without it.
        s3_server.describe(reachable=cluster.name == "bare")
    charts.wait_all(releases)


def connect(_: str) -> None:
    """Make the S3 server reachable from this machine again, after it was started anew."""
    s3_server.connect()


def tools(_: str) -> None:
    """Make kubectl, helm and kubeconform available under `.tools/bin`."""
    go_programs.link(
        go_programs.kubectl(),
        go_programs.helm(),
        go_programs.built(go_programs.KUBECONFORM) / "kubeconform",
    )
    say(f"tools: {TOOLS}")


COMMANDS: dict[str, Callable[[str], None]] = {
    "up": up,
    "down": down,
    "status": status,
    "images": build_images,
    "install": install,
    "connect": connect,
    "tools": tools,
}
