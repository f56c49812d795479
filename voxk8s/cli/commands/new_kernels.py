"""`voxk8s new-kernels`: write a package for kernels of one's own."""

from __future__ import annotations

import argparse
import shutil
from importlib.util import find_spec
from pathlib import Path

from voxk8s.cli.kernel_package import package_files
from voxk8s.constants import RELEASE
from voxk8s.errors import InvalidUsage


def run(arguments: argparse.Namespace) -> int:
    """Write the package into a new folder, and say what to do with it."""
    files = package_files(arguments.name, RELEASE)
    folder = Path(f"{arguments.name}-kernels")
    try:
        folder.mkdir()
    except FileExistsError:
        raise InvalidUsage(f"{folder} exists; nothing was written") from None
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for name in files:
        print(folder / name)
    # Environments made by uv have no pip, and that of another Python would install elsewhere.
    pip = "" if find_spec("pip") else "python -m ensurepip --default-pip && "
    print(f"\ncd {folder} && {pip}pip install --no-deps -e . && voxk8s run example.imgql")
    return 0
