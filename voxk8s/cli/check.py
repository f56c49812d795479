"""`voxk8s check`: errors and warnings, nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from voxk8s.cli.source import is_program, read_import, read_plan, read_text


def run(arguments: argparse.Namespace) -> int:
    """Tell everything that is wrong with a program, or the first error of a plan document."""
    path = Path(arguments.file)
    if not is_program(path):
        read_plan(arguments)
        return 0
    # Imported here: documents do not need the language.
    from voxk8s.imgql import check_program
    from voxk8s.kernels import registry, symbols

    found = check_program(
        read_text(path),
        index=registry(),
        symbols=symbols,
        name=str(path),
        parameters=dict(arguments.param),
        read_file=read_import,
    )
    for each in found:
        print(each, file=sys.stderr)
    return 2 if any(each.severity == "error" for each in found) else 0
