"""Parts of an engine that are found by name: our own, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata

from voxk8s.errors import InvalidUsage


def load_plugin(what: str, name: str, ours: Mapping[str, str], group: str) -> object:
    """Load what an entry point of `group`, or ours of this name (`module:attribute`), stands for.

    Raises InvalidUsage, which names all that there are of `what`.
    """
    if name in ours:
        return metadata.EntryPoint(name, ours[name], group).load()
    for entry in metadata.entry_points(group=group, name=name):
        return entry.load()
    others = {entry.name for entry in metadata.entry_points(group=group)}
    raise InvalidUsage(
        f"there is no {what} {name!r}; there are {', '.join(sorted({*ours, *others}))}"
    )
