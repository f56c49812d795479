"""Inputs of a plan that are on this machine, and the plan that reads them from elsewhere."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voxk8s.cli.local_files import files_below
from voxk8s.cli.permissions import literal_inputs, permissions, shown
from voxk8s.errors import InvalidUsage
from voxk8s.inputs.confinement import is_remote, local_path
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode, encode
from voxk8s.storage.uploads import file_digest


def local_inputs(plan: WorkPlan) -> list[str]:
    """Return the inputs whose paths a plan spells out, as it spells them."""
    urls = (url for _, url in literal_inputs(plan))
    return list(dict.fromkeys(url for url in urls if not is_remote(url)))


def refuse_local(names: list[str], option: str = "--upload") -> None:
    """Raise InvalidUsage for inputs that a cluster cannot read; `option` is what uploads them."""
    if names:
        listed = ", ".join(map(shown, names[:3])) + (" and others" if len(names) > 3 else "")
        raise InvalidUsage(
            f"the cluster cannot read files of this machine: {listed}. With {option} they are"
            " brought to its store; or use `voxk8s upload` and the s3:// URLs that it prints"
        )


def check_present(names: list[str]) -> None:
    """Raise InvalidUsage for inputs that are not on this machine."""
    for name in names:
        if not os.path.exists(local_path(name)):
            raise InvalidUsage(f"input {name}: no such file or folder on this machine")


def check_local(names: list[str], plan: WorkPlan, arguments: argparse.Namespace) -> None:
    """Raise InvalidUsage for inputs that are not there, or that the program may not read here."""
    allowed = permissions(arguments)
    options = allowed.check_plan(plan, InputOptions.from_env(os.environ))
    check_present(names)
    for name in names:
        path = local_path(name)
        if options.confinement is None:
            continue
        # A link in a folder may lead anywhere.
        below = [str(each) for each, _ in files_below(Path(path))] if os.path.isdir(path) else []
        for each in (path, *below):
            if not options.confinement.allows_path(each):
                raise InvalidUsage(
                    f"input {name}: {shown(each)} is outside of the folder of the program and the"
                    " current folder, or hidden, and is not uploaded; if you trust the program:"
                    f" --allow {shown(os.path.realpath(each))}"
                )


def content_name(path: Path) -> str:
    """Return a name for the content of a file or folder: changed ones never meet the old."""
    if path.is_file():
        return file_digest(path)[:16]
    rows = sorted([name, file_digest(each)] for each, name in files_below(path))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def relocate(plan: WorkPlan, urls: Mapping[str, str]) -> WorkPlan:
    """Return the plan that reads its inputs at other URLs; ids of operations change with them."""
    ids = set(_ids(json.loads(encode(plan))))

    def moved(part: Any) -> Any:
        if isinstance(part, dict):
            if part.get("type") == "constant" and isinstance(part.get("value"), str):
                value = urls.get(part["value"], part["value"])
                return {**part, "id": moved(part["id"]), "value": value}
            return {name: moved(each) for name, each in part.items()}
        if isinstance(part, list):
            return [moved(each) for each in part]
        # Names of one's own need not be hashes of what they name.
        return f"n{part}" if isinstance(part, str) and part in ids else part

    return decode(json.dumps(moved(json.loads(encode(plan)))), index=registry())


def _ids(part: Any) -> Iterator[str]:
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _ids(each)
    if isinstance(part, dict) and isinstance(part.get("id"), str):
        yield part["id"]
