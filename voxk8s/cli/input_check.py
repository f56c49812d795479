"""Looks at the inputs of a plan that are on this machine, without reading their voxels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from voxk8s.cli.permissions import Permissions, literal_inputs
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.confinement import is_remote, local_path
from voxk8s.plan.model import Closure
from voxk8s.plan.signature import Role

if TYPE_CHECKING:
    from voxk8s.cli.input_geometry import Problem
    from voxk8s.cli.local_headers import LocalHeaders
    from voxk8s.inputs.local_header import Extent
    from voxk8s.plan import OperationId, WorkPlan
    from voxk8s.plan.model import Scalar


def input_problems(
    plan: WorkPlan,
    allowed: Permissions,
    places: Mapping[OperationId, object],
    *,
    skips: bool = False,
) -> Iterator[Problem]:
    """Yield what is wrong with the files and folders that a plan names, and with their geometry.

    `places` are those of operations; `skips` is whether a run goes on without items of loops that
    fail. What the program may not read is not looked at.
    """
    local = [each for each in literal_inputs(plan) if not is_remote(each[1])]
    if not local and not any(isinstance(each, Closure) for each in plan.nodes.values()):
        return
    # Imported here: many programs name no files.
    from voxk8s.cli.input_geometry import find_problems

    yield from find_problems(plan, places, _LocalInputs(plan, allowed), skips=skips)


class _LocalInputs:
    """Inputs on this machine, each of which is looked at once."""

    def __init__(self, plan: WorkPlan, allowed: Permissions) -> None:
        self._allowed = allowed
        self._problems: dict[tuple[Role, str], str] = {}
        images = {url for role, url in literal_inputs(plan) if role is Role.LOAD}
        loops = any(isinstance(each, Closure) for each in plan.nodes.values())
        self._headers = self._local_headers() if len(images) > 1 or loops else None

    def _local_headers(self) -> LocalHeaders:
        # Imported here: one image alone is combined with no other.
        from voxk8s.cli.local_headers import LocalHeaders
        from voxk8s.inputs.input_options import InputOptions

        return LocalHeaders(InputOptions.from_env(os.environ), self._path)

    def _path(self, url: str) -> str | None:
        """Return the path of an address, None if it must not be looked at."""
        path = "" if is_remote(url) else local_path(url)
        return path if path and self._allowed.confinement.allows_path(path) else None

    def problem(self, role: Role, url: str) -> str:
        """Return what is wrong with a file or folder itself, empty if nothing is."""
        if (role, url) not in self._problems:
            path = self._path(url)
            self._problems[role, url] = "" if path is None else _file_problem(role, url, path)
        return self._problems[role, url]

    def extent(self, url: str) -> Extent | None:
        """Return size and geometry of the image at an address, None if they are not known."""
        return None if self._headers is None else self._headers.extent(url)

    def names(self, arguments: Sequence[Scalar]) -> Sequence[str] | None:
        """Return what `dir` of these arguments gives, None if it is not known."""
        return None if self._headers is None else self._headers.names(arguments)


def _file_problem(role: Role, url: str, path: str) -> str:
    if not os.path.exists(path):
        return f"input {url}: no such {'folder' if role is Role.LISTING else 'file'}"
    if role is Role.LISTING and not os.path.isdir(path):
        return f"input {url}: not a folder"
    return _format_problem(url, path) if role is Role.LOAD and os.path.isfile(path) else ""


def _format_problem(url: str, path: str) -> str:
    """Return why the first bytes of a file are not those of an input, empty if they are."""
    # Imported here: most programs name no files.
    from voxk8s.formats import sniff
    from voxk8s.formats.document import is_document

    try:
        if not sniff.is_gzip(sniff.read_head(path)) and not is_document(url, path):
            sniff.sniff(url, sniff.read_head(path))
    except InputUnavailable as error:
        return str(error)
    except OSError as error:
        return f"input {url}: {error.strerror or error}"
    return ""
