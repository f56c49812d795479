"""Volumes as inputs: `pvc://CLAIM/path` is a file of a claim that the pods of a run have mounted.

Others may write to a volume while it is read. A link in it must not lead to what else a pod has,
such as its credentials, so the file that was opened counts, not its path: see `open_file`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from voxk8s.errors import InputNotAllowed, InputUnavailable

SCHEME: Final = "pvc"
FOLDER: Final = "/run/voxk8s/volumes"
"""Folder of a pod that has the claims, each below its name."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """The claims of a namespace that are mounted below the folder `root`."""

    namespace: str = ""
    claims: tuple[str, ...] = ()
    root: str = FOLDER


def claim_of(url: str) -> str:
    """Return the claim that a URL names; empty if it is none of a volume."""
    scheme, _, rest = url.partition("://")
    return rest.partition("/")[0] if scheme.lower() == SCHEME else ""


def is_volume_url(url: str) -> bool:
    """Whether a URL is that of a file in a volume."""
    return url.lower().startswith(f"{SCHEME}://")


def not_mounted(url: str) -> InputNotAllowed:
    """Return the error for a URL whose claim the WorkPlan does not mount."""
    return InputNotAllowed(
        f"input {url}: the claim {claim_of(url) or '(none)'} is not mounted; add it to"
        " spec.cluster.volumes of the WorkPlan, as {claimName: …}"
    )


def find(url: str, volumes: Volumes | None) -> tuple[str, str]:
    """Return the path that a URL names, without links, and the folder of its claim.

    Raises InputNotAllowed if it is outside of a claim that is mounted.
    """
    if volumes is None:
        raise InputNotAllowed(
            f"input {url}: pvc:// URLs name inputs of WorkPlans, which mount claims by"
            " spec.cluster.volumes; here use the path of the file"
        )
    claim = claim_of(url)
    if claim not in volumes.claims:
        raise not_mounted(url)
    if "/" in claim or claim in (".", ".."):
        raise not_mounted(url)
    path = url.partition("://")[2][len(claim) :].strip("/")
    if "\0" in path:
        raise InputUnavailable(f"input {url!r}: not a path")
    if ".." in path.split("/"):
        raise InputNotAllowed(f"input {url}: expected a path without '..'")
    base = os.path.realpath(os.path.join(volumes.root, claim))
    real = os.path.realpath(os.path.join(base, path))
    if not _is_below(real, base):
        raise _leads_out(url)
    return real, base


@contextmanager
def open_file(url: str, path: str, base: str) -> Iterator[IO[bytes]]:
    """Open a regular file that lies below the folder `base` at the moment it is open.

    Raises InputNotAllowed if a link leads elsewhere, and InputUnavailable for pipes and devices.
    """
    handle = _open(url, path, base, os.O_NONBLOCK)
    with open(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not stat.S_ISREG(mode):
            raise InputUnavailable(f"input {url}: not a regular file")
        yield file


def names_below(url: str, path: str, base: str, recursive: bool) -> Iterator[str]:
    """Yield the paths of the files in a folder below `base`, relative to it; follows no links."""
    handle = _open(url, path, base, os.O_DIRECTORY)
    try:
        for folder, folders, files, _ in os.fwalk(".", dir_fd=handle, onerror=_raise):
            for name in files:
                yield os.path.normpath(os.path.join(folder, name))
            if not recursive:
                return
            folders.sort()
    finally:
        os.close(handle)


def _open(url: str, path: str, base: str, flags: int) -> int:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | flags)
    # Between the check of a path and its opening a link may have come into it.
    if not _is_below(os.readlink(f"/proc/self/fd/{handle}"), base):
        os.close(handle)
        raise _leads_out(url)
    return handle


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(f"{base.rstrip('/')}/")


def _leads_out(url: str) -> InputNotAllowed:
    return InputNotAllowed(f"input {url}: a link in its path leads out of the volume")


def _raise(error: OSError) -> None:
    raise error
