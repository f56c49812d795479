"""What, beside a kernel's name and arguments, its values depend on; it is part of result keys."""

from __future__ import annotations

from functools import cache

import msgspec

from voxk8s.errors import InvalidPlan


class KernelVersion(msgspec.Struct, frozen=True, gc=False):
    """The full version of a kernel in one environment.

    `number` is the version that its author gives; without one it is 0, and `code` is the digest of
    the kernel's code. `libraries` are the libraries that define its values, by the names of their
    distributions, with their versions, in order of the names.
    """

    number: int = 0
    code: str = ""
    libraries: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return it for messages, as `2 with SimpleITK 2.5.4`, or `of code 9f86d081884c`."""
        parts = [f"of code {self.code[:12]}" if self.code else str(self.number)]
        if self.libraries:
            named = " and ".join(f"{name} {version}" for name, version in self.libraries)
            parts.append(f"with {named}")
        return " ".join(parts)


class UnknownKernelVersion(InvalidPlan):
    """The version of a kernel cannot be known here, so its operations have no result keys."""


@cache
def numbered(number: int) -> KernelVersion:
    """Return the version of a kernel whose values only its author's version number changes."""
    return KernelVersion(number)
