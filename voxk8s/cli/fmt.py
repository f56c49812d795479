"""`voxk8s fmt`: programs in their usual form."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from voxk8s.cli.source import PROGRAM, read_text
from voxk8s.errors import InvalidUsage
from voxk8s.imgql import format_program


def run(arguments: argparse.Namespace) -> int:
    """Write a program formatted; with --write into its file, with --check only say whether."""
    path = Path(arguments.file)
    if path.suffix.lower() != PROGRAM:
        raise InvalidUsage(f"{path}: only programs ({PROGRAM}) are formatted")
    text = read_text(path)
    formatted = format_program(text, name=str(path))
    if arguments.check:
        if formatted != text:
            print(f"voxk8s: {path} would be changed", file=sys.stderr)
        return int(formatted != text)
    if not arguments.write:
        sys.stdout.write(formatted)
    elif formatted != text:
        path.write_bytes(formatted.encode("utf-8"))
    return 0
