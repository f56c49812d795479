"""The FILE of a command as a plan: programs, plan documents and WorkPlan manifests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from voxk8s.cli.parameters import ParameterWarnings, Program
from voxk8s.cli.permissions import permissions
from voxk8s.errors import InvalidPlan, InvalidUsage
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.plan.expectation import Expectation, check_printed
from voxk8s.redact import redact, visible

if TYPE_CHECKING:
    from voxk8s.cli.manifest import Text

PROGRAM = ".imgql"
STANDARD_INPUT = "-"
DOCUMENTS = (".json", ".yaml", ".yml")
_MAX_IMPORT: Final = 64 * 1024 * 1024
"""Most bytes of an imported file: those of the longest program."""


@dataclass(frozen=True, slots=True)
class Given:
    """A program or a plan, and what a WorkPlan says of it besides.

    That is the values that it expects of its goals, and what loops do with items that fail.
    """

    content: Program | WorkPlan
    expected: tuple[Expectation, ...] = ()
    on_item_failure: str = "fail"


@dataclass(frozen=True, slots=True)
class Input:
    """A plan and, if it was compiled from a program, its operations' places and expected values."""

    plan: WorkPlan
    places: Mapping[OperationId, object] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()
    on_item_failure: str = "fail"


def read_plan(arguments: argparse.Namespace) -> WorkPlan:
    """Read the plan of a command's FILE; see `read_input`."""
    return read_input(arguments).plan


def read_input(arguments: argparse.Namespace) -> Input:
    """Read the plan of a command's FILE; warnings about it go to standard error.

    Raises InvalidPlan, InvalidProgram, and InvalidUsage for a file that cannot be read.
    """
    given = read_source(arguments)
    found = given.content
    if isinstance(found, WorkPlan):
        check_printed(given.expected, found, "$.spec.expect")
        return Input(found, expectations=given.expected, on_item_failure=given.on_item_failure)
    # Imported here: plan documents do not need the compiler.
    from voxk8s.program import compile_with_places

    with ParameterWarnings(found, quiet=bool(arguments.quiet)) as asked:
        compiled = compile_with_places(
            found.text,
            name=found.name,
            parameters=found.parameters,
            read_file=asked.read_file,
            skips=(getattr(arguments, "on_item_failure", None) or given.on_item_failure) == "skip",
        )
    if not arguments.quiet:
        for warning in compiled.warnings:
            print(visible(redact(str(warning))), file=sys.stderr)
        if not compiled.plan.goals:
            print(f"voxk8s: warning: {visible(no_goals(found.name))}", file=sys.stderr)
    check_printed(given.expected, compiled.plan, "$.spec.expect")
    expected = (*compiled.expectations, *given.expected)
    return Input(compiled.plan, compiled.origins, expected, given.on_item_failure)


def no_goals(name: str) -> str:
    """Return the warning about a program that computes nothing."""
    return f'{name} has no goals, so nothing is computed; show a value by print "name" …'


def read_source(arguments: argparse.Namespace) -> Given:
    """Read a command's FILE without compiling it."""
    path = Path(arguments.file)
    given = dict(arguments.param)
    if arguments.file == STANDARD_INPUT:
        return Given(Program(_standard_input(), "<stdin>", given, _importer(arguments)))
    if is_program(path):
        return Given(Program(read_text(path), str(path), given, _importer(arguments)))
    text = read_text(path)
    # Imported here: programs do not need it.
    from voxk8s.cli.manifest import (
        find_expected,
        find_on_item_failure,
        find_source,
        read_resources,
    )

    resources = read_resources(text, yaml=path.suffix.lower() != ".json")
    if resources is None:
        return Given(_decode(text, path.suffix, given))
    source = find_source(resources, str(path))
    return Given(
        _content(source, given),
        find_expected(resources, str(path)),
        find_on_item_failure(resources, str(path)),
    )


def _content(source: Text | Mapping[str, Any], given: Mapping[str, str]) -> Program | WorkPlan:
    """Return the program or plan of a manifest; parameters of the call override its own."""
    if isinstance(source, Mapping):
        return _decode(source, "", given)
    if source.suffix == PROGRAM:
        parameters = {**source.parameters, **given}
        return Program(source.text, source.name, parameters, source.files.__getitem__)
    if source.suffix not in DOCUMENTS:
        known = ", ".join((PROGRAM, *DOCUMENTS))
        raise InvalidUsage(f"{source.name}: expected a suffix of {known}")
    if source.parameters:
        raise InvalidPlan(
            "expected no parameters beside a plan",
            "$.spec.source.parameters",
        )
    return _decode(source.text, source.suffix, given)


def _importer(arguments: argparse.Namespace) -> Callable[[str], str]:
    """Return what reads the files that a program imports, as far as it is allowed to."""
    allowed = permissions(arguments)

    def read_file(name: str) -> str:
        allowed.check_import(name)
        return read_import(name)

    return read_file


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidUsage(f"-: expected UTF-8, byte {error.start} is invalid") from error


def is_program(path: Path) -> bool:
    """Whether a file is a program; raises InvalidUsage for an unknown suffix."""
    if path.is_dir():
        raise InvalidUsage(f"{path}: expected a file, found a folder")
    suffix = path.suffix.lower()
    if suffix != PROGRAM and suffix not in DOCUMENTS:
        known = ", ".join((PROGRAM, *DOCUMENTS))
        raise InvalidUsage(f"{path}: expected a suffix of {known}")
    return suffix == PROGRAM


def read_text(path: Path) -> str:
    """Read a file as UTF-8; raises InvalidUsage."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidUsage(f"{path}: expected UTF-8, byte {error.start} is invalid") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidUsage(f"cannot read {path}: {reason}") from error


def text_of(name: str) -> str:
    """Return the text of a program's file for excerpts; empty if it is unreadable."""
    try:
        return Path(name).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def read_beginning(path: Path, most: int) -> bytes:
    """Return up to `most` bytes of a file; raises OSError, and ValueError for a pipe or a device.

    Those may have no end, or no beginning.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("expected a regular file")
    with path.open("rb") as file:
        return file.read(most)


def read_import(name: str) -> str:
    """Read a file that a program imports; raises OSError or ValueError."""
    content = read_beginning(Path(name), _MAX_IMPORT + 1)
    if len(content) > _MAX_IMPORT:
        raise ValueError(f"larger than {_MAX_IMPORT >> 20} MiB")
    return content.decode("utf-8")


def _decode(
    source: str | Mapping[str, object], suffix: str, parameters: Mapping[str, str]
) -> WorkPlan:
    if parameters:
        raise InvalidUsage("expected no --param with a plan document")
    from voxk8s.kernels import registry
    from voxk8s.plan import decode

    form: Literal["json", "yaml"] = "yaml" if suffix.lower() in (".yaml", ".yml") else "json"
    inline = not isinstance(source, str)
    return decode(source, index=registry(), format=form, from_resource=inline)
