"""From the FILE of a command to a plan: programs, plan documents and WorkPlan manifests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from voxk8s.cli.parameters import ParameterWarnings, Program
from voxk8s.errors import InvalidPlan, InvalidUsage
from voxk8s.plan import OperationId, WorkPlan

PROGRAM = ".imgql"
DOCUMENTS = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Input:
    """A plan and, if a program was made into it, where in the program its operations stand."""

    plan: WorkPlan
    places: Mapping[OperationId, object] = field(default_factory=dict)


def read_plan(arguments: argparse.Namespace) -> WorkPlan:
    """Read the plan of a command's FILE as `read_input` does."""
    return read_input(arguments).plan


def read_input(arguments: argparse.Namespace) -> Input:
    """Read the plan of a command's FILE; warnings about it go to standard error.

    Raises InvalidPlan, InvalidProgram, and InvalidUsage for a file that cannot be read.
    """
    found = read_source(arguments)
    if isinstance(found, WorkPlan):
        return Input(found)
    # Imported here: documents do not need the language.
    from voxk8s.program import compile_with_places

    with ParameterWarnings(found, quiet=bool(arguments.quiet)) as asked:
        compiled = compile_with_places(
            found.text,
            name=found.name,
            parameters=found.parameters,
            read_file=asked.read_file,
        )
    if not arguments.quiet:
        for warning in compiled.warnings:
            print(warning, file=sys.stderr)
    return Input(compiled.plan, compiled.origins)


def read_source(arguments: argparse.Namespace) -> Program | WorkPlan:
    """Read a command's FILE as far as it can be read without compiling."""
    path = Path(arguments.file)
    given = dict(arguments.param)
    if is_program(path):
        return Program(read_text(path), str(path), given, read_import)
    text = read_text(path)
    # Imported here: programs need neither.
    from voxk8s.cli.manifest import Text, find_source, read_resources

    resources = read_resources(text, yaml=path.suffix.lower() != ".json")
    if resources is None:
        return _decode(text, path.suffix, given)
    source = find_source(resources, str(path))
    if not isinstance(source, Text):
        return _decode(source, "", given)
    if source.suffix == PROGRAM:
        parameters = {**source.parameters, **given}
        return Program(source.text, source.name, parameters, source.files.__getitem__)
    if source.suffix not in DOCUMENTS:
        known = ", ".join((PROGRAM, *DOCUMENTS))
        raise InvalidUsage(f"{source.name}: the suffix must say what it is ({known})")
    if source.parameters:
        raise InvalidPlan(
            "parameters are values for a program; a plan has none", "$.spec.source.parameters"
        )
    return _decode(source.text, source.suffix, given)


def is_program(path: Path) -> bool:
    """Whether a file is a program; raises InvalidUsage when its suffix says nothing."""
    if path.is_dir():
        raise InvalidUsage(f"{path} is a folder; name a file")
    suffix = path.suffix.lower()
    if suffix != PROGRAM and suffix not in DOCUMENTS:
        known = ", ".join((PROGRAM, *DOCUMENTS))
        raise InvalidUsage(f"{path}: the suffix must say what it is ({known})")
    return suffix == PROGRAM


def read_text(path: Path) -> str:
    """Read a file in UTF-8; raises InvalidUsage with the reason."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidUsage(f"{path} is not UTF-8: byte {error.start} is wrong") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidUsage(f"{path} cannot be read: {reason}") from error


def text_of(name: str) -> str:
    """Give the text of a program's file to show lines of it; empty where it cannot be read."""
    try:
        return Path(name).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def read_import(name: str) -> str:
    """Read a file that a program imports; raises OSError or ValueError."""
    path = Path(name)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("it is no ordinary file")
    return path.read_bytes().decode("utf-8")


def _decode(
    source: str | Mapping[str, object], suffix: str, parameters: Mapping[str, str]
) -> WorkPlan:
    if parameters:
        raise InvalidUsage("--param gives values to a program; a plan document takes none")
    from voxk8s.kernels import registry
    from voxk8s.plan import decode

    form: Literal["json", "yaml"] = "yaml" if suffix.lower() in (".yaml", ".yml") else "json"
    inline = not isinstance(source, str)
    return decode(source, index=registry(), format=form, from_resource=inline)
