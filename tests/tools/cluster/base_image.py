"""The base image where no registry is at hand: a small Debian with Python, made by debootstrap."""

import os
import shutil
from pathlib import Path

from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.progress import step

SUITE = "trixie"
INCLUDED = "ca-certificates,python3,python3-venv"
LEFT_OUT = (
    "dev/*",
    "proc/*",
    "usr/share/doc/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
)


def base() -> Path:
    """Return a folder with the root file system as `root.tar` and a Dockerfile that adds it."""
    return entry("base", digest_of(SUITE, INCLUDED, *LEFT_OUT, os.uname().machine), build)


def build(folder: Path) -> None:
    """Make the file system; $DEBIAN_MIRROR names another mirror than debootstrap's own."""
    with step(f"base image: Debian {SUITE} with Python (once a machine)"):
        root = folder / "root"
        mirror = os.environ.get("DEBIAN_MIRROR")
        command = ["debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, str(root)]
        run([*command, *([mirror] if mirror else [])], timeout=1800)
        excluded = [f"--exclude=./{pattern}" for pattern in LEFT_OUT]
        run(["tar", "--numeric-owner", "-C", root, *excluded, "-cf", folder / "root.tar", "."])
        shutil.rmtree(root)
        (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\nENV LANG=C.UTF-8\n")
