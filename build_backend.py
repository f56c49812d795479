"""The build by setuptools, with a C compiler from the package index where there is none.

The package has a part in C. `ziglang` is a compiler in a wheel, so that an installation from source
needs no more than an installation of any other package.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 all other hooks are those of setuptools


def get_requires_for_build_wheel(config_settings=None):  # type: ignore[no-untyped-def]  # setuptools has none
    """Return what a build needs beside setuptools."""
    return build_meta.get_requires_for_build_wheel(config_settings) + _compiler()


def get_requires_for_build_editable(config_settings=None):  # type: ignore[no-untyped-def]  # setuptools has none
    """Return what an editable build needs beside setuptools."""
    return build_meta.get_requires_for_build_editable(config_settings) + _compiler()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):  # type: ignore[no-untyped-def]  # setuptools has none
    """Build a wheel; return its name."""
    _use_compiler()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):  # type: ignore[no-untyped-def]  # setuptools has none
    """Build a wheel that refers to this folder; return its name."""
    _use_compiler()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def _compiler() -> list[str]:
    return [] if _own_compiler() else ["ziglang>=0.13"]


def _use_compiler() -> None:
    compiler = _own_compiler()
    if compiler is None:
        # Zig compiles for the processor at hand unless told not to.
        compiler = f"{sys.executable} -m ziglang cc -mcpu=baseline"
    for name, command in (("CC", compiler), ("LDSHARED", f"{compiler} -shared -s")):
        # A variable that is empty is no command.
        os.environ[name] = os.environ.get(name) or command


def _own_compiler() -> str | None:
    """Return the compiler that is set, Python's own, or the machine's; None if there is none."""
    usual = (sysconfig.get_config_var("CC") or "").split()
    for command in (os.environ.get("CC"), *usual[:1], "cc", "gcc", "clang"):
        if command and shutil.which(command.split()[0]):
            return command
    return None
