"""Looks at the inputs of a plan that are on this machine, without reading their voxels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from voxk8s.cli.permissions import Permissions, literal_inputs
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.confinement import is_remote, local_path
from voxk8s.plan.model import Closure
from voxk8s.plan.signature import Role

if TYPE_CHECKING:
    from voxk8s.plan import OperationId, WorkPlan


def input_problems(
    plan: WorkPlan, allowed: Permissions, places: Mapping[OperationId, object]
) -> Iterator[str]:
    """Yield what is wrong with the files and folders that a plan names: absent, or no input.

    If there is nothing, operations that combine images of different geometry, with their `places`.
    What the program may not read is not looked at.
    """
    found = list(_file_problems(plan, allowed))
    yield from found or _geometry_problems(plan, allowed, places)


def _geometry_problems(
    plan: WorkPlan, allowed: Permissions, places: Mapping[OperationId, object]
) -> Iterator[str]:
    images = {url for role, url in literal_inputs(plan) if role is Role.LOAD and not is_remote(url)}
    if len(images) < 2 and not any(isinstance(each, Closure) for each in plan.nodes.values()):
        return
    # Imported here: most programs load one image, or none by name.
    from voxk8s.cli.input_geometry import geometry_problems
    from voxk8s.cli.local_headers import LocalHeaders
    from voxk8s.inputs.input_options import InputOptions

    def path_of(url: str) -> str | None:
        path = "" if is_remote(url) else local_path(url)
        return path if path and allowed.confinement.allows_path(path) else None

    inputs = LocalHeaders(InputOptions.from_env(os.environ), path_of)
    yield from geometry_problems(plan, places, inputs)


def _file_problems(plan: WorkPlan, allowed: Permissions) -> Iterator[str]:
    """Yield what is wrong with the files and folders themselves."""
    seen: set[tuple[Role, str]] = set()
    for role, url in literal_inputs(plan):
        if (role, url) in seen or is_remote(url):
            continue
        seen.add((role, url))
        path = local_path(url)
        if not allowed.confinement.allows_path(path):
            continue
        if not os.path.exists(path):
            yield f"input {url}: no such {'folder' if role is Role.LISTING else 'file'}"
        elif role is Role.LISTING and not os.path.isdir(path):
            yield f"input {url}: not a folder"
        elif role is Role.LOAD and os.path.isfile(path):
            problem = _format_problem(url, path)
            if problem:
                yield problem


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
