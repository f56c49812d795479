"""Executors and scheduling policies found by name: built-in ones and those of entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from voxk8s.errors import InvalidUsage


def load_plugin(kind: str, name: str, built_in: Mapping[str, str], group: str) -> Any:
    """Load the built-in plugin (`module:attribute`) or the entry point of this name.

    Raises InvalidUsage for an unknown name, with the names of all plugins of this kind.
    """
    if name in built_in:
        return resolve_name(built_in[name])
    from importlib import metadata

    for entry in metadata.entry_points(group=group, name=name):
        return entry.load()
    others = {entry.name for entry in metadata.entry_points(group=group)}
    raise InvalidUsage(
        f"unknown {kind} {name!r}: must be one of {', '.join(sorted({*built_in, *others}))}"
    )
