"""Where things lie: in the clone, in the user's cache, on the machine."""

import os
from pathlib import Path

from tests.support.paths import ROOT

HERE = Path(__file__).resolve().parent
"""This package: go.mod files and manifests lie beside the code as data."""

LOCAL = ROOT / ".cluster"
"""What the clone knows of its cluster: kubeconfig, addresses, image references."""

KUBECONFIG = LOCAL / "kubeconfig"
ENVIRONMENT = LOCAL / "env"
IMAGES = LOCAL / "images.env"
PROVIDER = LOCAL / "provider"
"""Which kind of cluster `up` chose: bare, kind or current."""

TOOLS = ROOT / ".tools" / "bin"
"""Links to kubectl, helm and the like, for the Makefile and for people."""

MACHINE = Path("/var/lib/voxk8s-cluster")
"""Everything of the bare cluster that a reboot does not take: one cluster a machine."""

RUN = Path("/run/voxk8s-cluster")
"""Sockets and process records of the bare cluster."""

LOCK = Path("/run/voxk8s-cluster.lock")
"""Held while the bare cluster is started or stopped."""

OWNER = MACHINE / "owner.json"
"""Which clone the bare cluster belongs to and what the machine was like before."""


def cache_root() -> Path:
    """Return the folder of this user's cache that clones share."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "voxk8s"
