"""Pictures of saved files, where they are cheap to make."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from voxk8s import report
from voxk8s.constants import IMAGE_SUFFIXES
from voxk8s.errors import Voxk8sError
from voxk8s.execution.result import GoalOutcome
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.history.scans import Scans
from voxk8s.plan import Goal
from voxk8s.storage import ResultStore
from voxk8s.values import Image

_log = logging.getLogger(__name__)
_MOST: Final = 16
"""Largest number of files that are shown."""
_SHOWN: Final = frozenset({"image/png", "image/jpeg"})
"""Media types that browsers display."""
_SMALL: Final = 200_000
_GZIP_LENGTH: Final = 4
"""A gzip file ends with its uncompressed size, in this many bytes."""
_READ: Final = 128 * 2**20
"""Bytes of voxels that are read for all pictures together: about two seconds of work."""

Pictures = Callable[[GoalOutcome], report.Preview | None]
Keep = Callable[[str, Image], None]
"""Gets the images that were read, each by its name, a scan before what is drawn over it."""


def from_store(
    store: ResultStore, scans: Scans | None = None, keep: Keep | None = None
) -> Pictures:
    """Return a function that shows files of a store: small PNG and JPEG, and drawings of images."""
    draw = _Drawing(scans, keep)

    def picture(outcome: GoalOutcome) -> report.Preview | None:
        name = Path(outcome.goal.name).name
        if not outcome.digest or not _is_image(name) or outcome.size > draw.left:
            return None
        data = store.read_blob(outcome.digest)
        if _is_small(outcome, outcome.size):
            return report.Preview(data, outcome.media_type)
        with tempfile.TemporaryDirectory(prefix="voxk8s-report-") as folder:
            path = Path(folder, f"image{''.join(Path(name).suffixes[-2:])}")
            path.write_bytes(data)
            return draw(path, outcome.goal)

    return _limited(picture)


def from_files(scans: Scans | None = None, keep: Keep | None = None) -> Pictures:
    """Return a function that shows files of this process: small PNG and JPEG, and drawings."""
    draw = _Drawing(scans, keep)

    def picture(outcome: GoalOutcome) -> report.Preview | None:
        path = outcome.path
        if path is None or not _is_image(path.name):
            return None
        if _is_small(outcome, path.stat().st_size):
            return report.Preview(path.read_bytes(), outcome.media_type)
        return draw(path, outcome.goal)

    return _limited(picture)


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def _is_small(outcome: GoalOutcome, size: int) -> bool:
    """Return whether a file is shown as it is."""
    return outcome.media_type in _SHOWN and size <= _SMALL


def _limited(make: Pictures) -> Pictures:
    """Limit the number of pictures, and leave out those that fail."""
    made = 0

    def picture(outcome: GoalOutcome) -> report.Preview | None:
        nonlocal made
        if made >= _MOST or outcome.goal.operation != "save":
            return None
        try:
            found = make(outcome)
        except (Voxk8sError, OSError) as error:
            _log.info("%s is not shown: %s", outcome.goal.name, error)
            return None
        made += found is not None
        return found

    return picture


class _Drawing:
    """Draws images; all of them together have at most `_READ` bytes of voxels."""

    def __init__(self, scans: Scans | None, keep: Keep | None) -> None:
        self.left = _READ
        self._scans = scans
        self._keep = keep

    def __call__(self, path: Path, goal: Goal) -> report.Preview | None:
        """Return the picture of an image file, which is the value of a goal."""
        size = _voxel_bytes(path)
        if size > self.left:
            return None
        self.left -= size
        # Imported here: they load the libraries that read and draw images.
        from voxk8s.formats.sandbox.decoder import decode_input
        from voxk8s.rendering import MEDIA_TYPE, describe_picture, draw, is_overlay

        with tempfile.TemporaryDirectory(prefix="voxk8s-report-") as scratch:
            limits = DecodeLimits.from_env(os.environ)
            value = decode_input(str(path), [str(path)], scratch, limits)
        if not isinstance(value, Image):
            return None
        scans = self._scans
        below = scans.below(goal.id, value) if scans is not None and is_overlay(value) else None
        if self._keep is not None:
            if below is not None:
                self._keep(below.name, below.image)
            self._keep(goal.name.rpartition("/")[2], value)
        data = draw(value, None if below is None else below.image)
        if data is None:
            return None
        caption = describe_picture(value) + (f"; over {below.name}" if below is not None else "")
        return report.Preview(data, MEDIA_TYPE, caption)


def _voxel_bytes(path: Path) -> int:
    """Return about how many bytes an image has, without decoding it."""
    size = path.stat().st_size
    if path.suffix != ".gz" or size < _GZIP_LENGTH:
        return size
    with path.open("rb") as file:
        file.seek(-_GZIP_LENGTH, os.SEEK_END)
        return max(size, int.from_bytes(file.read(), "little"))
