"""Which modules belong to the code of a kernel."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE_FOLDERS: Final = tuple(
    f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages")
)
"""Also those of the system and of the user, which are beside those of a virtual environment."""


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


def loaded_modules(top: str) -> Iterator[str]:
    """Return the loaded modules that a kernel in the top-level package `top` may own."""
    for name in list(sys.modules):
        found = name.partition(".")[0]
        if found != "voxk8s" and (found == top or _is_local(name)):
            yield name


def module_space(name: str) -> Mapping[str, object]:
    """Return the globals of a loaded module, without loading one that waits for its first use."""
    try:
        space = object.__getattribute__(sys.modules.get(name), "__dict__")
    except AttributeError:  # something else than a module
        return {}
    return space if isinstance(space, dict) else {}


def _is_local(name: str) -> bool:
    file = module_space(name).get("__file__")
    return _is_local_file(file) if isinstance(file, str) else name == "__main__"


@cache
def _is_local_file(file: str) -> bool:
    return not file.startswith(_standard_folders()) and not any(
        folder in file for folder in _PACKAGE_FOLDERS
    )


@cache
def _standard_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {Path(sysconfig.get_path(name)) for name in names}
    return tuple({f"{each}{os.sep}" for folder in folders for each in (folder, folder.resolve())})
