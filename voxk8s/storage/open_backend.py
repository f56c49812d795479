"""Opens the back end that a store's URL names."""

from __future__ import annotations

from voxk8s.storage.backend import Backend
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions


def open_backend(location: Location, options: StoreOptions) -> Backend:
    """Open a store; `options` are complete (see `StoreOptions.filled`).

    Raises ModuleNotFoundError where the client of Redis is not installed.
    """
    match location.scheme:
        case "file":
            return FolderBackend(location, options)
        case "redis" | "rediss":
            # An extra: installed only where a store is in Redis.
            from voxk8s.storage.redis_backend import RedisBackend

            return RedisBackend(location, options)
        case _:
            return Backend(location, options)
