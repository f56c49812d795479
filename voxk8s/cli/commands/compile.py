"""`voxk8s compile`: print a plan document in its normal form."""

from __future__ import annotations

import argparse
import sys

from voxk8s.cli.input_file import read_plan
from voxk8s.plan import encode


def run(arguments: argparse.Namespace) -> int:
    """Print the plan of a program or document; compiling the output gives the same bytes."""
    document = encode(read_plan(arguments), format=arguments.format)
    sys.stdout.flush()
    sys.stdout.buffer.write(document)
    if not document.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    return 0
