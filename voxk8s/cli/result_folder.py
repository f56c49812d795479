"""Folders of results, to be compared: their files by name and digest, and pictures of images."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from voxk8s.constants import IMAGE_MEDIA_TYPES, IMAGE_SUFFIXES
from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.execution.result import GoalOutcome
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox.decoder import decode_input
from voxk8s.history import from_files
from voxk8s.plan import Goal, OperationId
from voxk8s.report import Counts
from voxk8s.report.comparison import FOLDER
from voxk8s.report.embedded import FORMAT, GoalSummary, Summary
from voxk8s.values import Image

MOST_FILES: Final = 1000
_MOST_BYTES: Final = 64 * 2**20
"""Of the images of one pair whose voxels are compared."""
_REPORTS: Final = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class ResultFolder:
    """What is in a folder: a summary with a goal for each file, and pictures by goal."""

    path: Path
    summary: Summary
    pictures: Mapping[int, str]


def read_folder(path: Path) -> ResultFolder:
    """Read a folder and those in it, without hidden files and reports; raises InvalidUsage."""
    goals: list[GoalSummary] = []
    pictures: dict[int, str] = {}
    picture_of = from_files()
    try:
        for name, file in _files(path):
            if len(goals) == MOST_FILES:
                raise InvalidUsage(f"{path}: expected at most {MOST_FILES} files of results")
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            goal = Goal("save", OperationId(""), name)
            media_type = next((m for s, m in IMAGE_MEDIA_TYPES.items() if name.endswith(s)), "")
            shown = picture_of(GoalOutcome(goal, goal.id, path=file, media_type=media_type))
            if shown is not None:
                data = base64.b64encode(shown.data).decode()
                pictures[len(goals)] = f"data:{shown.media_type};base64,{data}"
            caption = "" if shown is None else shown.caption
            size = file.stat().st_size
            goals.append(GoalSummary(name, "save", "", digest, size, caption))
        changed = path.stat().st_mtime
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be read: {error.strerror or error}") from error
    if not goals:
        raise InvalidUsage(f"{path}: expected a folder with files of results, found none")
    summary = Summary(FORMAT, str(path), changed, 0.0, FOLDER, Counts(), goals=tuple(goals))
    return ResultFolder(path, summary, pictures)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if not hidden and file.is_file() and file.suffix.lower() not in _REPORTS:
            yield name.as_posix(), file


def voxel_difference(one: Path, other: Path) -> str:
    """Return how two image files differ; empty for other files, and for very large ones."""
    if not all(each.name.lower().endswith(IMAGE_SUFFIXES) for each in (one, other)):
        return ""
    if one.stat().st_size + other.stat().st_size > _MOST_BYTES:
        return ""
    # Imported here: reports of runs need no pictures.
    from voxk8s.rendering import Kind, kind_of, same_geometry

    before, after = _image(one), _image(other)
    if before is None or after is None:
        return ""
    if before.array.shape != after.array.shape or not same_geometry(before, after):
        return "another grid of voxels"
    differing = int(np.count_nonzero(before.array != after.array))
    if not differing:
        return "the same voxels in another file"
    text = f"{differing:,} of {before.array.size:,} voxels differ"
    if Kind.MASK == kind_of(before) == kind_of(after):
        inside = [each.array != 0 for each in (before, after)]
        both = np.count_nonzero(inside[0] & inside[1])
        whole = np.count_nonzero(inside[0]) + np.count_nonzero(inside[1])
        return f"{text}; Dice {2 * both / whole:.4f}" if whole else text
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.subtract(before.array, after.array, dtype=np.float64))
    return f"{text}, by {np.nanmax(apart):g} at most" if np.isfinite(apart).any() else text


def _image(path: Path) -> Image | None:
    try:
        with tempfile.TemporaryDirectory(prefix="voxk8s-compare-") as scratch:
            limits = DecodeLimits.from_env(os.environ)
            value = decode_input(str(path), [str(path)], scratch, limits)
    except (Voxk8sError, OSError):
        return None
    return value if isinstance(value, Image) else None
