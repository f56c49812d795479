"""The manifest of a run: what it was computed from and by, and what came out, to compare later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from voxk8s import constants
from voxk8s.cli.permissions import literal_inputs
from voxk8s.cli.run_output import value_text
from voxk8s.errors import InvalidUsage
from voxk8s.inputs.confinement import is_remote, local_path
from voxk8s.kernels.libraries import installed_versions
from voxk8s.values import SavedFile

if TYPE_CHECKING:
    from voxk8s.execution import ExecutionResult, GoalOutcome
    from voxk8s.plan import WorkPlan

_FORMAT: Final = 1
_LIBRARIES: Final = ("SimpleITK", "pillow")
_SECTIONS: Final = {"inputs": "input", "versions": "version of", "results": "result"}

Lock = Mapping[str, object]


class LockFile:
    """The manifest of earlier runs in a file; the first run writes it."""

    def __init__(self, path: Path) -> None:
        """Read the file, if it exists; raises InvalidUsage if it is something else."""
        self._path = path
        self._before = _read(path)

    def compare(self, plan: WorkPlan, result: ExecutionResult) -> list[str]:
        """Write the manifest of a run, or return how it differs; raises OSError."""
        now = lock_of(plan, result)
        if self._before is None:
            text = json.dumps(now, indent=2, ensure_ascii=False)
            self._path.write_text(f"{text}\n", "utf-8")
            return []
        return [f"{self._path}: {text}" for text in differences(self._before, now)]


def lock_of(plan: WorkPlan, result: ExecutionResult) -> Lock:
    """Return the manifest of a run that reached all goals.

    Files that the plan names are listed by SHA-256. A result has its key, which depends on all
    inputs and versions, also those that only the run has found, and a digest of its value.
    """
    inputs = dict(sorted(_inputs(plan)))
    versions = {"voxk8s": constants.RELEASE, **installed_versions(_LIBRARIES)}
    results = {outcome.goal.name: _result(outcome) for outcome in result.goals}
    return {"lock": _FORMAT, "inputs": inputs, "versions": versions, "results": results}


def _read(path: Path) -> Lock | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InvalidUsage(f"{path}: cannot be read as the manifest of a run: {error}") from error
    if not isinstance(found, dict) or found.get("lock") != _FORMAT:
        raise InvalidUsage(
            f"{path}: expected a manifest that --lock has written; delete it to write a new one"
        )
    return found


def differences(before: Lock, now: Lock) -> Iterator[str]:
    """Yield what differs between two manifests, inputs and versions first."""
    for section, noun in _SECTIONS.items():
        old, new = before.get(section), now.get(section)
        if not isinstance(old, dict) or not isinstance(new, dict):
            continue
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) == new.get(name):
                continue
            if name not in new:
                yield f"the {noun} {name} is not there any more"
            elif name not in old:
                yield f"the {noun} {name} is new"
            else:
                yield f"the {noun} {name} was {_shown(old[name])} and is {_shown(new[name])}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("value") or value.get("digest"))
    return str(value)


def _inputs(plan: WorkPlan) -> Iterator[tuple[str, str]]:
    """Yield the files on this machine that a plan names, with their digests."""
    for _, url in literal_inputs(plan):
        path = local_path(url)
        if is_remote(url) or not os.path.exists(path):
            continue
        files = [Path(path)]
        if os.path.isdir(path):
            files = sorted(each for each in Path(path).rglob("*") if each.is_file())
        for file in files:
            with file.open("rb") as content:
                digest = sha256()
                while block := content.read(2**20):
                    digest.update(block)
            yield str(file), f"sha256:{digest.hexdigest()}"


def _result(outcome: GoalOutcome) -> dict[str, str]:
    if outcome.goal.operation == "print":
        text = value_text(outcome)
        found = {"digest": f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"}
        if len(text) < constants.INLINE_VALUE_BYTES:
            found["value"] = text
    else:
        file = outcome.load()
        data = file.data if isinstance(file, SavedFile) else b""
        found = {"digest": f"sha256:{sha256(data).hexdigest()}"}
    return {"key": outcome.key or "", **found}
