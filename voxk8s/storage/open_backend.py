"""Opens the back end that a store's URL names."""

from __future__ import annotations

from voxk8s.storage.backend import Backend
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions


def open_backend(location: Location, options: StoreOptions) -> Backend:
    """Open a store; `options` are complete (see `StoreOptions.filled`)."""
    if location.scheme == "file":
        return FolderBackend(location, options)
    return Backend(location, options)
