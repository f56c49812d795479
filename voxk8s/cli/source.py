"""From the FILE of a command to a plan: programs and plan documents, by suffix."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxk8s.errors import InvalidUsage
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
    path = Path(arguments.file)
    if is_program(path):
        return _compile(path, dict(arguments.param), quiet=bool(arguments.quiet))
    if arguments.param:
        raise InvalidUsage("--param gives values to a program; a plan document takes none")
    # Imported here: programs do not need it, and other commands need neither.
    from voxk8s.execution import load_plan

    return Input(load_plan(path))


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


def read_import(name: str) -> str:
    """Read a file that a program imports; raises OSError or UnicodeDecodeError."""
    return Path(name).read_bytes().decode("utf-8")


def _compile(path: Path, parameters: dict[str, str], *, quiet: bool) -> Input:
    text = read_text(path)
    from voxk8s.imgql import compile_program
    from voxk8s.kernels import registry, symbols

    compiled = compile_program(
        text,
        index=registry(),
        symbols=symbols,
        name=str(path),
        parameters=parameters,
        read_file=read_import,
    )
    if not quiet:
        for warning in compiled.warnings:
            print(warning, file=sys.stderr)
    return Input(compiled.plan, compiled.origins)
