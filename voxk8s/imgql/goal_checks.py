"""Checks of goals: what a careful reader of the program would ask about its results."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Final

from voxk8s.constants import IMAGE_SUFFIXES, TABLE_MEDIA_TYPES
from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import GoalPlace
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.plan.keys.result_keys import file_suffix

_PICTURES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_VOLUMES: Final = tuple(suffix for suffix in IMAGE_SUFFIXES if suffix not in _PICTURES)
_TEXTS: Final = ("", ".txt", ".json")


def check_names(goals: Sequence[GoalPlace], diagnostics: Diagnostics) -> None:
    """Report files that are saved twice, and warn of labels that are printed twice."""
    saved: dict[str, GoalPlace] = {}
    printed: dict[str, list[GoalPlace]] = {}
    for goal in goals:
        if goal.kind != "save":
            printed.setdefault(goal.label, []).append(goal)
            continue
        first = saved.setdefault(posixpath.normpath(goal.label), goal)
        if first is not goal:
            diagnostics.error(
                goal.source,
                goal,
                f'the file "{goal.label}" is already saved at {_at(first)}',
                "the second one would replace the first; give it another name",
            )
    for label, (first, *others) in printed.items():
        if others:
            further = f", one of {len(others) + 1} times" if others[1:] else ""
            diagnostics.warning(
                others[0].source,
                others[0],
                f'"{label}" is already printed at {_at(first)}{further}',
                "two results of one name cannot be told apart; give it another name",
            )


def _at(goal: GoalPlace) -> str:
    """Return the file, line and column of a goal."""
    line, column = goal.source.position(goal.start)
    return f"{goal.source.name}:{line}:{column}"


def check_value(goal: GoalPlace, value_type: str, diagnostics: Diagnostics) -> None:
    """Warn of values that a goal does not show, or not in the format that its name promises."""
    if goal.kind == "print":
        if types.family(value_type) == "image":
            diagnostics.warning(
                goal.source,
                goal,
                "only a summary of an image is printed",
                f'save "{goal.label or "image"}.nii.gz" … writes it to a file',
            )
        return
    suffix = file_suffix(goal.label)
    if not suffix and types.family(value_type) == "image":
        diagnostics.warning(
            goal.source,
            goal,
            "only a summary of an image is written, without its voxels",
            f"image formats are {', '.join(IMAGE_SUFFIXES)}",
        )
    known = (*IMAGE_SUFFIXES, *_TEXTS, *TABLE_MEDIA_TYPES)
    if suffix not in known and types.family(value_type) != "image":
        diagnostics.warning(
            goal.source,
            goal,
            f"{suffix} is no format that is known here: the value is written as text",
            f"known are .json, .txt, .csv, .tsv, and for images {', '.join(IMAGE_SUFFIXES)}",
        )


def check_image_file(goal: GoalPlace, diagnostics: Diagnostics) -> None:
    """Report the name of a file that can hold no image."""
    suffix = file_suffix(goal.label)
    if suffix not in IMAGE_SUFFIXES:
        diagnostics.error(
            goal.source,
            goal,
            f'an image cannot be saved as "{goal.label}"',
            f"image formats are {', '.join(IMAGE_SUFFIXES)}",
        )


def is_picture(goal: GoalPlace) -> bool:
    """Whether a goal saves a picture."""
    return goal.kind == "save" and file_suffix(goal.label) in _PICTURES


def check_picture(goal: GoalPlace, url: object, diagnostics: Diagnostics) -> None:
    """Warn of a picture of what has the geometry of the volume behind a URL."""
    if isinstance(url, str) and url.lower().endswith(_VOLUMES):
        diagnostics.warning(
            goal.source,
            goal,
            "the middle axial slice is written if this is a volume, as"
            f" {posixpath.basename(url)} may be",
            "save it as .nii.gz; `extract` takes another slice",
        )
