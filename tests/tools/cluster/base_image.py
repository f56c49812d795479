"""The base image where no registry is at hand: a small Debian with Python, made by mmdebstrap."""

import os
from pathlib import Path

from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.progress import step

SUITE = "trixie"
INCLUDED = "ca-certificates,python3,python3-venv"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*", "/var/log/*")
OF_THE_HOST = ("etc/hostname", "etc/resolv.conf")
"""Files that mmdebstrap copies from the host while it works."""


def base() -> Path:
    """Return a folder with the root file system as `root.tar` and a Dockerfile that adds it."""
    machine = os.uname().machine
    return entry("base", digest_of(SUITE, INCLUDED, *LEFT_OUT, *OF_THE_HOST, machine), build)


def build(folder: Path) -> None:
    """Make the file system; $DEBIAN_MIRROR names another mirror than mmdebstrap's own."""
    with step(f"base image: Debian {SUITE} with Python (once a machine)"):
        mirror = os.environ.get("DEBIAN_MIRROR")
        run(
            [
                "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
                f"--include={INCLUDED}",
                *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
                "--customize-hook=" + "; ".join(f'rm -f "$1/{path}"' for path in OF_THE_HOST),
                # A runtime makes the devices.
                "--skip=output/dev", SUITE, folder / "root.tar", *([mirror] if mirror else []),
            ],
            timeout=1800,
        )  # fmt: skip
        (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\nENV LANG=C.UTF-8\n")
