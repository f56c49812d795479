"""A small kernel index for tests of plans: some kernels of each role, no implementations."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.plan.signature import Role, Signature


class FakeIndex:
    """Knows a handful of kernels; `versions` overrides the version of some."""

    def __init__(self, versions: dict[str, int] | None = None) -> None:
        changed = versions or {}
        self._known = {
            qualified: Signature(
                qualified, changed.get(qualified, 1), minimum, maximum, role=Role(role)
            )
            for qualified, minimum, maximum, role in _KERNELS
        }

    def find(self, name: str, imports: Sequence[str]) -> Signature | None:
        """Look a name up as plans do."""
        for candidate in (name, f"default.{name}", *(f"{home}.{name}" for home in imports)):
            if candidate in self._known:
                return self._known[candidate]
        return None

    def version_of(self, signature: Signature) -> KernelVersion:
        """Return the version number of a kernel; none of these has more."""
        return KernelVersion(signature.version)

    def names(self) -> Sequence[str]:
        """All qualified names, sorted."""
        return sorted(self._known)

    def load_errors(self) -> Sequence[str]:
        """Return no errors."""
        return ()


_KERNELS: tuple[tuple[str, int, int | None, str], ...] = (
    ("default.addition", 2, 2, "compute"),
    ("default.subtraction", 2, 2, "compute"),
    ("default.sequence", 0, None, "compute"),
    ("default.range", 1, 2, "compute"),
    ("default.index", 2, 2, "compute"),
    ("default.subsequence", 3, 3, "compute"),
    ("default.map", 2, 2, "map"),
    ("default.fold", 2, 2, "fold"),
    ("default.load", 1, 1, "load"),
    ("default.dir", 1, 4, "listing"),
    ("sequences.choose", 3, 3, "compute"),
    ("sequences.keep", 2, 2, "compute"),
    ("strings.concat", 1, None, "compute"),
    ("vox1.near", 1, 1, "compute"),
    ("vox1.volume", 1, 1, "compute"),
    ("vox1.tt", 0, None, "geometry"),
    ("vox1.constant", 1, None, "geometry"),
    ("test.identity", 1, 1, "compute"),
    ("test.nothing", 0, 0, "compute"),
    ("voxk8s.save", 1, 1, "save"),
)
