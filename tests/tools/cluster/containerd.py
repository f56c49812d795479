"""containerd of the bare cluster: configuration, pod network, images, and its end."""

import json
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.tools.cluster.commands import run, succeeds
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.network import NODE_POD_RANGE, POD_LINK

NAMESPACE = "k8s.io"
"""Where the kubelet's interface to containerd keeps images and containers."""

PAUSE_IMAGE = "voxk8s.io/pause:1"


UNUSED = (
    "internal.v1.opt",
    "snapshotter.v1.aufs",
    "snapshotter.v1.btrfs",
    "snapshotter.v1.devmapper",
    "snapshotter.v1.zfs",
)
"""Parts that would create folders elsewhere or complain about what this machine lacks."""


@dataclass(frozen=True)
class Containerd:
    """A containerd of its own, beside any that the host runs."""

    data: Path
    """Configuration."""
    content: Path
    """Images and containers; may stay when the cluster goes, to have the images at once again."""
    run_folder: Path

    @property
    def socket(self) -> Path:
        """Return its socket."""
        return self.run_folder / "containerd.sock"

    def command(self) -> list[str | Path]:
        """Write the configuration and return the command."""
        self.data.mkdir(parents=True, exist_ok=True)
        network = self.data / "network"
        network.mkdir(exist_ok=True)
        (network / "10-pods.conflist").write_text(self.network())
        configuration = self.data / "containerd.toml"
        configuration.write_text(self.configuration(network))
        return ["containerd", "--config", configuration]

    def configuration(self, network: Path) -> str:
        """Return the configuration file."""
        state = self.run_folder / "containerd"
        unused = ", ".join(f'"io.containerd.{name}"' for name in UNUSED)
        return f"""\
version = 2
root = "{self.content}"
state = "{state}"
# Without CAP_SYS_RESOURCE runc cannot lower a score and says "can't get final child's PID".
oom_score = 0
disabled_plugins = [{unused}]

[grpc]
  address = "{self.socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{network}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""

    def network(self) -> str:
        """Return the pod network: a bridge with addresses of the node's range."""
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": NODE_POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(self.run_folder / "addresses"),
        }
        bridge = {
            "type": "bridge",
            "bridge": POD_LINK,
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, portmap]})

    def ctr(self, *words: str | Path, stdin: str | None = None) -> str:
        """Run containerd's own client."""
        return run(["ctr", "-a", self.socket, "-n", NAMESPACE, *words], stdin=stdin)

    def answers(self) -> bool:
        """Return whether containerd is up and the kubelet's interface in it too."""
        base = ["ctr", "-a", str(self.socket)]
        if not self.socket.exists() or not succeeds([*base, "version"]):
            return False
        listed = run([*base, "plugins", "ls"])
        return bool(re.search(r"io\.containerd\.grpc\.v1\s+cri\s.*\bok\b", listed))

    def images(self) -> set[str]:
        """Return the names of the images that are there."""
        return set(self.ctr("images", "ls", "-q").split())

    def contents(self) -> set[str]:
        """Return the digests of all blobs that are there."""
        return set(self.ctr("content", "ls", "-q").split())

    def load(self, archive: Path) -> None:
        """Import the images of an OCI archive."""
        self.ctr("images", "import", archive)

    def remove_images(self, references: list[str]) -> None:
        """Remove images; layers that only they have go with them."""
        if references:
            self.ctr("images", "rm", *references)

    def forget_containers(self) -> None:
        """Remove what containerd knows of containers, so that only images stay."""
        if self.answers():
            for container in self.ctr("containers", "ls", "-q").split():
                succeeds(["ctr", "-a", self.socket, "-n", NAMESPACE, "containers", "rm", container])

    def end_containers(self) -> None:
        """Kill the shims of this containerd and everything that runs in its containers.

        Works with a dead containerd as well: shims are known by the socket in their arguments.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            shims = [pid for pid in pids() if self.is_shim(pid)]
            if number == signal.SIGTERM:
                # The processes inside first: a shim that goes leaves them to the init process.
                for inside in descendants(shims):
                    kill(inside, signal.SIGKILL)
            for pid in shims:
                kill(pid, number)
            end = time.monotonic() + 5
            while shims and time.monotonic() < end:
                shims = [pid for pid in shims if self.is_shim(pid)]
                time.sleep(0.05)

    def is_shim(self, pid: int) -> bool:
        """Return whether a process is a shim of this containerd."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return b"containerd-shim" in words[0] and str(self.socket).encode() in words


def pids() -> list[int]:
    """Return all processes of the machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(parents: list[int]) -> set[int]:
    """Return all processes below these, without them."""
    children: dict[int, list[int]] = {}
    for pid in pids():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(pid)
    found: set[int] = set()
    ahead = list(parents)
    while ahead:
        for child in children.get(ahead.pop(), []):
            if child not in found:
                found.add(child)
                ahead.append(child)
    return found - set(parents)


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal; ignore a process that has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def unmount_below(folders: tuple[Path, ...]) -> None:
    """Undo every mount below these folders (not on them: those may be disks), innermost first."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    for _ in range(3):
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
        ours = [point for point in points if point.startswith(prefixes)]
        if not ours:
            return
        for point in sorted(ours, key=len, reverse=True):
            if shutil.which("umount") is None or not succeeds(["umount", point]):
                # In use: let go of it once its last user has.
                succeeds(["umount", "-l", point])
    raise ClusterError(f"cannot undo the mounts below {' and '.join(map(str, folders))}")
