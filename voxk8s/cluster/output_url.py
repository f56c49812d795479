"""Checks of `spec.output.url`, to which saved files are copied, and of their names. Pure."""

from __future__ import annotations

from typing import Final

from voxk8s import constants
from voxk8s.describe import one_line
from voxk8s.errors import InvalidPlan
from voxk8s.inputs.s3_target import s3_target
from voxk8s.plan import WorkPlan
from voxk8s.storage.layout import DOMAIN_FOLDERS

STORE_FOLDERS: Final = frozenset((*DOMAIN_FOLDERS, constants.DOMAINS_PREFIX, constants.LOCK_PATH))


def leaves_folder(name: str) -> bool:
    """Whether a file name escapes the folder that it is relative to."""
    return "://" in name or name.startswith("/") or ".." in name.split("/") or not name.strip("/")


def check_output(plan: WorkPlan, folder: str, store: str) -> None:
    """Check that the saved files of a plan may be copied to `folder` under their own names.

    Raises InvalidPlan with the path of the field if a name escapes the folder, or if a file would
    lie in a folder that the result store uses: it could be mistaken for a record or a blob.
    """
    if reason := _refusal(folder, "", store):
        raise InvalidPlan(f"{one_line(folder)}: {reason}; choose another folder", "spec.output.url")
    for number, goal in enumerate(plan.goals):
        if goal.operation != "save":
            continue
        path = f"$.goals[{number}].name"
        if leaves_folder(goal.name):
            raise InvalidPlan(
                f"{goal.name!r} is outside of spec.output.url {one_line(folder)}; use a relative"
                " name",
                path,
            )
        if reason := _refusal(folder, goal.name, store):
            raise InvalidPlan(
                f"{goal.name!r} below spec.output.url {one_line(folder)}: {reason}; use another"
                " name or URL",
                path,
            )


def _refusal(folder: str, name: str, store: str) -> str:
    """Return why nothing may be written there; empty if it may."""
    try:
        target = s3_target(folder, name)
    except ValueError as error:
        return str(error)
    try:
        root = s3_target(store)
    except ValueError:
        return ""  # a store that is not on S3
    parts, within = target.canonical, root.canonical
    inside = target.bucket.lower() == root.bucket.lower() and parts[: len(within)] == within
    if inside and len(parts) > len(within) and parts[len(within)] in STORE_FOLDERS:
        return "it lies in a folder that the result store uses for itself"
    return ""
