"""Where a WorkPlan's saved files are copied to: `spec.output`, and what it must not name. Pure."""

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
        constants.PROBE_PATH,
    )
)


def leaves_folder(name: str) -> bool:
    """Say whether a file's name leads out of the folder it is written below."""
    return "://" in name or name.startswith("/") or ".." in name.split("/") or not name.strip("/")


def check_output(plan: WorkPlan, folder: str, store: str) -> None:
    """Refuse names of saved files that leave the folder they are copied to.

    Refuses the store's own folders as well: a file under the name of a record or blob would be
    taken for one. Raises InvalidPlan with the path.
    """
    if ".." in folder.split("/") or _is_of_the_store(folder, store):
        raise InvalidPlan(
            f"{folder} is no place for copies of saved files: it leads into the result store's own"
            " folders or upwards",
            "spec.output.url",
        )
    for place, goal in enumerate(plan.goals):
        if goal.operation != "save":
            continue
        path = f"$.goals[{place}].name"
        if leaves_folder(goal.name):
            raise InvalidPlan(f"{goal.name!r} does not stay below spec.output.url {folder}", path)
        if _is_of_the_store(f"{folder}/{goal.name}", store):
            raise InvalidPlan(
                f"{goal.name!r} below spec.output.url {folder} lies in the result store's own"
                " folders",
                path,
            )


def _is_of_the_store(url: str, store: str) -> bool:
    """Say whether a place belongs to the store itself; empty parts of a path do not count."""
    parts, within = (_path(text) for text in (url, store))
    inside = parts[: len(within)] == within
    return inside and len(parts) > len(within) and parts[len(within)] in _STORE_FOLDERS


def _path(url: str) -> list[str]:
    return [part for part in url.split("/") if part not in ("", ".")]
