"""What, beside a kernel's name and arguments, its values depend on; it is part of result keys."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import msgspec

from voxk8s.errors import InvalidPlan

_DIGEST_LENGTH: Final = 64


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

    def of(self, kernel: str) -> str:
        """Return a kernel with this version as one text for records, without a space."""
        libraries = "".join(f"+{name}={version}" for name, version in self.libraries)
        return f"{kernel}@{self.code or self.number}{libraries}"


def parse_kernel(text: str) -> tuple[str, KernelVersion]:
    """Return the kernel and the version of a text by `KernelVersion.of`."""
    head, *tail = re.split(r"\+(?=[^=+]*=)", text)
    kernel, _, version = head.partition("@")
    libraries = tuple((name, value) for name, _, value in (each.partition("=") for each in tail))
    if version.isdigit() and len(version) < _DIGEST_LENGTH:
        return kernel, KernelVersion(int(version), libraries=libraries)
    return kernel, KernelVersion(code=version, libraries=libraries)


class UnknownKernelVersion(InvalidPlan):
    """The version of a kernel cannot be known here, so its operations have no result keys."""


@cache
def numbered(number: int) -> KernelVersion:
    """Return the version of a kernel whose values only its author's version number changes."""
    return KernelVersion(number)
