"""Headers of images and names in folders on this machine, for checks before a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from voxk8s.errors import Voxk8sError
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.local_header import Extent, local_header
from voxk8s.plan.model import Scalar

_MOST_IMAGES: Final = 200
"""Images that are looked at: each takes some milliseconds."""


class LocalHeaders:
    """Looks at each image once, and at no more than 200."""

    def __init__(self, options: InputOptions, path_of: Callable[[str], str | None]) -> None:
        """`path_of` returns the path of an address, None if it must not be looked at."""
        self._options = options
        self._path_of = path_of
        self._known: dict[str, Extent | None] = {}

    def extent(self, url: str) -> Extent | None:
        """Return size and geometry of the image at an address, None if they are not known."""
        if url not in self._known:
            path = self._path_of(url) if len(self._known) < _MOST_IMAGES else None
            self._known[url] = None if path is None else self._read(url, path)
        return self._known[url]

    def names(self, arguments: Sequence[Scalar]) -> Sequence[str] | None:
        """Return what `dir` of these arguments gives, None if it is not known."""
        root, *rest = arguments
        if not isinstance(root, str) or self._path_of(root) is None:
            return None
        try:
            return list_folder(root, *rest, options=self._options).entries  # type: ignore[arg-type] # checked there
        except (Voxk8sError, OSError, TypeError):
            return None  # It is reported where it is read: what cannot be known is no problem here.

    def _read(self, url: str, path: str) -> Extent | None:
        try:
            found = local_header(path, self._options)
        except (Voxk8sError, OSError):
            return None
        return None if found is None else msgspec.structs.replace(found, name=url)
