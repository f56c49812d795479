"""The versions of libraries in this environment, by the names of their distributions."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from functools import cache
from typing import Final

_ALWAYS: Final = ("numpy",)
"""Libraries that take part in every result."""


@cache
def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, such as `SimpleITK`; None if it is not.

    It is looked up once a process: what was imported stays, whatever is installed later.
    """
    if name == "numpy" and name in sys.modules:
        version: str = sys.modules[name].__version__
        return version
    # Imported here: it takes as long as the keys of a small plan, and many need no more than NumPy.
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python, NumPy and the given distributions, as far as installed."""
    wanted = sorted({*names, *_ALWAYS})
    found = {name: version for name in wanted if (version := installed_version(name)) is not None}
    return found | {"python": platform.python_version()}
