"""`voxk8s check`: print the errors and warnings of a program or plan."""

from __future__ import annotations

import argparse
import sys

from voxk8s.cli.input_file import read_source
from voxk8s.cli.parameters import ParameterWarnings
from voxk8s.plan import WorkPlan
from voxk8s.redact import redact, visible


def run(arguments: argparse.Namespace) -> int:
    """Print all errors and warnings of a program, or the first error of a plan document."""
    found = read_source(arguments)
    if isinstance(found, WorkPlan):
        return 0
    # Imported here: plan documents do not need the compiler.
    from voxk8s.imgql import check_program, format_diagnostics
    from voxk8s.kernels import registry, symbols

    with ParameterWarnings(found, quiet=bool(arguments.quiet)) as asked:
        diagnostics = check_program(
            found.text,
            index=registry(),
            symbols=symbols,
            name=found.name,
            parameters=found.parameters,
            read_file=asked.read_file,
        )
    if diagnostics:
        print(visible(redact(format_diagnostics(diagnostics))), file=sys.stderr)
    return 2 if any(each.severity == "error" for each in diagnostics) else 0
