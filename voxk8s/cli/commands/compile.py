"""`voxk8s compile`: print a plan document in its normal form."""

from __future__ import annotations

import argparse
import sys

from voxk8s.cli.input_file import read_input
from voxk8s.describe import one_line
from voxk8s.plan import encode
from voxk8s.redact import visible


def run(arguments: argparse.Namespace) -> int:
    """Print the plan of a program or document; compiling the output gives the same bytes."""
    given = read_input(arguments)
    if given.expectations and not arguments.quiet:
        names = ", ".join(dict.fromkeys(each.name for each in given.expectations))
        print(
            f"voxk8s: warning: {visible(one_line(names))}: plans have no expected values; a"
            " WorkPlan has them in spec.expect",
            file=sys.stderr,
        )
    document = encode(given.plan, format=arguments.format)
    sys.stdout.flush()
    sys.stdout.buffer.write(document)
    if not document.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    return 0
