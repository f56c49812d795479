"""Which results are invalid: those of a kernel, of one of its versions, or of a library. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import eq, le, lt
from typing import Final, TypeAlias

from voxk8s.errors import InvalidUsage
from voxk8s.plan.kernel_version import parse_kernel
from voxk8s.storage.record import Provenance

_CONDITION: Final = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*?)\s*(<=|<|==|=)\s*([0-9A-Za-z.+!-]+)\s*"
)
_Order: TypeAlias = tuple[tuple[int, int, str], ...]
_COMPARE: Final[Mapping[str, Callable[[_Order, _Order], bool]]] = {
    "<": lt,
    "<=": le,
    "==": eq,
    "=": eq,
}
_BEFORE_RELEASE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("rc", "c", "pre", "preview"), "rc"),
    "a": "a",
    "alpha": "a",
    "b": "b",
    "beta": "b",
}


@dataclass(frozen=True, slots=True)
class LibraryCondition:
    """Versions of a library: those before, up to or equal to one."""

    name: str
    comparison: str
    version: str

    def names(self, library: str) -> bool:
        """Whether this is the name of the library."""
        return _distribution(library) == _distribution(self.name)

    def matches(self, libraries: Mapping[str, str]) -> bool:
        """Whether one of the libraries is this one, in such a version."""
        return any(
            self.names(name)
            and _COMPARE[self.comparison](version_order(found), version_order(self.version))
            for name, found in libraries.items()
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Results of kernels whose name matches the pattern `kernel`; None matches all.

    `version` is the number of the kernel's version, `library` a condition on the versions of
    libraries that took part.
    """

    kernel: str | None = None
    version: int | None = None
    library: LibraryCondition | None = None

    def __post_init__(self) -> None:
        """Refuse to select everything."""
        if self.kernel is None and self.library is None:
            raise InvalidUsage("expected a kernel (--kernel) or a library (--library), got neither")
        if self.version is not None and self.kernel is None:
            raise InvalidUsage(
                "expected a kernel (--kernel) with the version, got the version alone"
            )

    def matches(self, made: Provenance) -> bool:
        """Whether a result was made by the selected kernels."""
        return self._matches(made.kernel, made.version, made.libraries)

    def matches_below(self, made: Provenance) -> bool:
        """Whether the selected kernels made a result on which this one depends."""
        return any(
            self._matches(name, version.number, dict(version.libraries))
            for name, version in map(parse_kernel, made.ancestors)
        )

    def _matches(self, kernel: str, version: int, libraries: Mapping[str, str]) -> bool:
        return (
            (self.kernel is None or fnmatchcase(kernel, self.kernel))
            and (self.version is None or version == self.version)
            and (self.library is None or self.library.matches(libraries))
        )


def parse_library(text: str) -> LibraryCondition:
    """Return the condition of a text such as `SimpleITK<2.5`; raises InvalidUsage."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InvalidUsage(
            f"expected a library and a version, as in SimpleITK<2.5 (or <=, ==), got {text!r}"
        )
    return LibraryCondition(*found.groups())


def version_order(version: str) -> _Order:
    """Return what versions are compared by: numbers as such, `rc1` before the release.

    Local parts (`+cu121`) and zeros at the end do not count.
    """
    parts: list[tuple[int, int, str]] = []
    for part in re.findall(r"\d+|[a-z]+", version.lower().partition("+")[0]):
        if part.isdigit():
            parts.append((1, int(part), ""))
            continue
        while parts and parts[-1] == (1, 0, ""):
            parts.pop()
        if part == "dev":
            parts.append((-2, 0, ""))
        elif part in _BEFORE_RELEASE:
            parts.append((-1, 0, _BEFORE_RELEASE[part]))
        else:
            parts.append((1, -1, part))
    while parts and parts[-1] == (1, 0, ""):
        parts.pop()
    return (*parts, (0, 0, ""))


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
