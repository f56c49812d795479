"""Checks of `spec.output.url`, to which saved files are copied, and of their names. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from voxk8s import constants
from voxk8s.describe import one_line
from voxk8s.errors import InvalidPlan
from voxk8s.inputs.s3_target import S3Target, s3_target
from voxk8s.plan import WorkPlan
from voxk8s.storage.layout import DOMAIN_FOLDERS

STORE_FOLDERS: Final = frozenset((*DOMAIN_FOLDERS, constants.DOMAINS_PREFIX, constants.LOCK_PATH))


def leaves_folder(name: str) -> bool:
    """Whether a file name escapes the folder that it is relative to."""
    return "://" in name or name.startswith("/") or ".." in name.split("/") or not name.strip("/")


def check_output(plan: WorkPlan, folder: str, store: str, chart: str | None = None) -> None:
    """Check that the saved files of a plan may be copied to `folder` under their own names.

    `store` is the URL of the run's store, and `chart` that of the chart's, if it has one. Raises
    InvalidPlan with the path of the field if a name escapes the folder, or if a file would lie in a
    folder that one of them uses: it could be mistaken for a record or a blob.
    """
    stores = dict.fromkeys(filter(None, (store, chart)))
    if reason := _refusal(folder, "", stores):
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
        if reason := _refusal(folder, goal.name, stores):
            raise InvalidPlan(
                f"{goal.name!r} below spec.output.url {one_line(folder)}: {reason}; use another"
                " name or URL",
                path,
            )


def _refusal(folder: str, name: str, stores: Iterable[str]) -> str:
    """Return why nothing may be written there; empty if it may."""
    try:
        target = s3_target(folder, name)
    except ValueError as error:
        return str(error)
    if any(_is_in_store(target, store) for store in stores):
        return "it lies in a folder that the result store uses for itself"
    return ""


def _is_in_store(target: S3Target, store: str) -> bool:
    """Whether an object lies in a folder that a store uses."""
    try:
        root = s3_target(store)
    except ValueError:
        return False  # a store that is not on S3
    parts, within = target.canonical, root.canonical
    inside = target.bucket.lower() == root.bucket.lower() and parts[: len(within)] == within
    return inside and len(parts) > len(within) and parts[len(within)] in STORE_FOLDERS
