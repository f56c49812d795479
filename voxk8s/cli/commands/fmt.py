"""`voxk8s fmt`: format programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from voxk8s.cli.input_file import PROGRAM, read_text
from voxk8s.errors import InvalidUsage
from voxk8s.imgql import format_program

_STANDARD_INPUT = "-"


def run(arguments: argparse.Namespace) -> int:
    """Print a formatted program, write it to its file (--write), or compare it (--check)."""
    name = arguments.file
    if name == _STANDARD_INPUT:
        if arguments.write:
            raise InvalidUsage("expected a file with --write, got standard input")
        name, text = "<stdin>", _read_standard_input()
    else:
        if Path(name).suffix.lower() != PROGRAM:
            raise InvalidUsage(f"{name}: expected a program ({PROGRAM})")
        text = read_text(Path(name))
    formatted = format_program(text, name=name)
    if arguments.check:
        if formatted != text:
            print(f"voxk8s: {name} would be changed", file=sys.stderr)
        return int(formatted != text)
    if not arguments.write:
        sys.stdout.flush()
        sys.stdout.buffer.write(formatted.encode("utf-8"))
        sys.stdout.buffer.flush()
    elif formatted != text:
        Path(name).write_bytes(formatted.encode("utf-8"))
    return 0


def _read_standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidUsage(
            f"standard input: expected UTF-8, byte {error.start} is invalid"
        ) from error
