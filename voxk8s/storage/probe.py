"""What a store supports, found by trying."""

from __future__ import annotations

from dataclasses import dataclass

from voxk8s import constants
from voxk8s.errors import StoreAccessDenied, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo

_CONTENT = b"This object shows that results can be written here, and only once.\n"
_OTHER_TAG = '"00000000000000000000000000000000"'


@dataclass(frozen=True, slots=True)
class Probe:
    """Abilities of a store that answers and accepts the credentials.

    Without `conditional_updates` there are no leases: two runs may compute the same at once.
    """

    reachable: bool
    conditional_writes: bool
    conditional_updates: bool = False


def probe(backend: Backend) -> Probe:
    """Try to read, write, create and update one small object.

    Raises StoreUnreachable or StoreAccessDenied. A store that ignores conditional writes is not an
    error, since it can still be used: see `Probe.conditional_writes`.
    """
    path = constants.PROBE_PATH
    if backend.get(path) is None:
        backend.write(path, (_CONTENT,), "text/plain")
    refused = backend.create(path, (_CONTENT,), "text/plain") is None
    content = backend.get(path)
    if content is None or bytes(content) != _CONTENT:
        raise StoreError(f"the store {backend.url} does not return what was written to it")
    return Probe(
        reachable=True,
        conditional_writes=refused,
        conditional_updates=refused and _supports_updates(backend),
    )


def touch_probe(backend: Backend) -> float:
    """Write the small object again; return when, in seconds since 1970 by the store's clock."""
    backend.write(constants.PROBE_PATH, (_CONTENT,), "text/plain")
    found = backend.head(constants.PROBE_PATH)
    if found is None:
        raise StoreError(f"the store {backend.url} does not return what was written to it")
    return found.modified


def _supports_updates(backend: Backend) -> bool:
    """Whether the store refuses an update whose ETag does not match."""
    try:
        return not backend.update(
            ObjectInfo(constants.PROBE_PATH, len(_CONTENT), tag=_OTHER_TAG), _CONTENT, "text/plain"
        )
    except StoreAccessDenied:
        raise
    except StoreError:
        return False
