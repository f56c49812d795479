"""The package that `voxk8s new-kernels` writes can be installed, tested and used."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

from tests.support.cli import environment, voxk8s
from tests.support.paths import ROOT

UV = ROOT / ".tools" / "uv" / "bin" / "uv"
LIGHT = (
    "import sys, lab_kernels;"
    "assert not {'dask', 'distributed', 'SimpleITK', 'aiohttp'} & set(sys.modules)"
)


def test_a_new_package_works(tmp_path: Path) -> None:
    """It is installed beside voxk8s, its tests pass, it is listed, and its example runs."""
    assert voxk8s(tmp_path, "new-kernels", "lab").status == 0
    package = tmp_path / "lab-kernels"
    python = _environment(tmp_path / "env")
    _call(tmp_path, UV, "pip", "install", "-q", "--python", python, "--no-deps", "-e", package)

    assert "3 passed" in _call(package, python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    listed = _call(package, python, "-m", "voxk8s.cli", "kernels", "lab.*")
    assert listed.startswith("lab.window(image: image, low: number, high: number) -> image")
    printed = _call(package, python, "-m", "voxk8s.cli", "run", "example.imgql")
    assert printed == "brightest=0.5\n"
    assert (package / "window.nii.gz").is_file()
    # The operator, which imports it too, has nothing that computes.
    _call(package, python, "-c", LIGHT)


def _environment(folder: Path) -> Path:
    """Create a virtual environment that sees this one, and return its interpreter."""
    version = f"{sysconfig.get_python_version()}"
    _call(folder.parent, UV, "venv", "-q", "--python", version, folder)
    packages = folder / "lib" / f"python{version}" / "site-packages"
    (packages / "base.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return folder / "bin" / "python"


def _call(folder: Path, *words: str | Path) -> str:
    kept = environment(folder)
    kept["HOME"] = str(Path.home())  # the cache of uv
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout
