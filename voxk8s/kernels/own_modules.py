"""Which modules belong to the code of a kernel."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path


def own_modules(module: str, packaged: Collection[str]) -> Callable[[str], bool]:
    """Return whether modules belong to the code of a kernel in `module`.

    Those of its own top-level package do. A kernel outside of the installed packages of kernels,
    whose top-level names are `packaged`, also owns all modules that are not installed, such as the
    modules beside a notebook. Never voxk8s itself.
    """
    top = module.partition(".")[0]
    alone = top in packaged

    def is_own(name: str) -> bool:
        found = name.partition(".")[0]
        if found == "voxk8s":
            return False
        return found == top or (not alone and _is_local(name))

    return is_own


def _is_local(name: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str):
        return name == "__main__"
    return not any(Path(file).is_relative_to(folder) for folder in _installed_folders())


@cache
def _installed_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in names})
