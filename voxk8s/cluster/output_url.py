"""Checks of `spec.output.url`, to which saved files are copied, and of their names. Pure."""

from __future__ import annotations

from typing import Final

from voxk8s import constants
from voxk8s.errors import InvalidPlan
from voxk8s.plan import WorkPlan

_STORE_FOLDERS: Final = frozenset(
    prefix.partition("/")[0]
    for prefix in (
        constants.RECORDS_PREFIX,
        constants.BLOBS_PREFIX,
        constants.RUNS_PREFIX,
        constants.PINS_PREFIX,
        constants.QUARANTINE_PREFIX,
        constants.LEASES_PREFIX,
        constants.COSTS_PATH,
        constants.PROBE_PATH,
    )
)


def leaves_folder(name: str) -> bool:
    """Whether a file name escapes the folder that it is relative to."""
    return "://" in name or name.startswith("/") or ".." in name.split("/") or not name.strip("/")


def check_output(plan: WorkPlan, folder: str, store: str) -> None:
    """Check that the saved files of a plan may be copied to `folder` under their own names.

    Raises InvalidPlan with the path of the field if a name escapes the folder, or if a file would
    lie in a folder that the result store uses: it could be mistaken for a record or a blob.
    """
    if ".." in folder.split("/") or _in_store_folder(folder, store):
        raise InvalidPlan(
            f"{folder} must not contain '..' or lie in a folder that the result store uses for"
            " itself; choose another folder",
            "spec.output.url",
        )
    for number, goal in enumerate(plan.goals):
        if goal.operation != "save":
            continue
        path = f"$.goals[{number}].name"
        if leaves_folder(goal.name):
            raise InvalidPlan(
                f"{goal.name!r} is outside of spec.output.url {folder}; use a relative name",
                path,
            )
        if _in_store_folder(f"{folder}/{goal.name}", store):
            raise InvalidPlan(
                f"{goal.name!r} below spec.output.url {folder} lies in a folder that the result"
                " store uses for itself; use another name or URL",
                path,
            )


def _in_store_folder(url: str, store: str) -> bool:
    """Whether a URL lies in a folder of the store; empty parts of the path are ignored."""
    parts, within = (_path(text) for text in (url, store))
    inside = parts[: len(within)] == within
    return inside and len(parts) > len(within) and parts[len(within)] in _STORE_FOLDERS


def _path(url: str) -> list[str]:
    return [part for part in url.split("/") if part not in ("", ".")]
