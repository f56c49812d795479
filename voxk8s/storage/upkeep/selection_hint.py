"""Why a selection matches nothing: the kernels, versions and libraries that made a store."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from voxk8s.plan.kernel_version import parse_kernel
from voxk8s.plan.suggest import clip, suggest
from voxk8s.storage.record import Provenance
from voxk8s.storage.upkeep.selection import LibraryCondition, Selection, version_order


class MadeBy:
    """What took part in making the results of a store, directly or below them."""

    def __init__(self) -> None:
        self._kernels: dict[str, set[int]] = {}
        self._libraries: dict[str, set[str]] = {}
        self._ancestors: set[str] = set()

    def add(self, made: Provenance) -> None:
        """Add what made one result."""
        self._add(made.kernel, made.version, made.libraries)
        self._ancestors.update(made.ancestors)

    def _add(self, kernel: str, version: int, libraries: Mapping[str, str]) -> None:
        self._kernels.setdefault(kernel, set()).add(version)
        for name, found in libraries.items():
            self._libraries.setdefault(name, set()).add(found)

    def why_nothing(self, selection: Selection) -> str:
        """Return why a selection that matches no result matches none, with what is near to it."""
        for kernel, version in map(parse_kernel, self._ancestors):
            self._add(kernel, version.number, dict(version.libraries))
        self._ancestors.clear()
        return (
            self._why_no_kernel(selection.kernel, selection.version)
            or self._why_no_library(selection.library)
            or "each part of the selection matches results, but no result matches all of them"
        )

    def _why_no_kernel(self, pattern: str | None, version: int | None) -> str:
        if pattern is None:
            return ""
        kernels = {name for name in self._kernels if fnmatchcase(name, pattern)}
        if not kernels:
            return f"the store has no results of a kernel {clip(pattern)}{self._near(pattern)}"
        versions = set[int]().union(*(self._kernels[name] for name in kernels))
        if version is None or version in versions:
            return ""
        found = ", ".join(
            str(each) if each else "0 (versioned by code)" for each in sorted(versions)
        )
        return f"the store has no results of version {version} of {clip(pattern)}, but of {found}"

    def _near(self, pattern: str) -> str:
        for name in sorted(self._kernels):
            if name.rpartition(".")[2] == pattern:
                return f"; did you mean {name!r}?"
        return suggest(pattern, sorted(self._kernels))

    def _why_no_library(self, library: LibraryCondition | None) -> str:
        if library is None:
            return ""
        versions = {
            version
            for name, found in self._libraries.items()
            for version in found
            if library.names(name)
        }
        if not versions:
            near = suggest(library.name, sorted(self._libraries))
            return (
                f"the store has no results for which it knows a library {clip(library.name)}{near}"
            )
        if any(library.matches({library.name: each}) for each in versions):
            return ""
        found = ", ".join(sorted(versions, key=version_order))
        return f"the store has results with {library.name} {found} only"
