"""`voxk8s completion`: print a script that completes command lines."""

from __future__ import annotations

import argparse

from voxk8s.cli.argument_parser import build_parser
from voxk8s.cli.completion import script


def run(arguments: argparse.Namespace) -> int:
    """Print the script for a shell."""
    print(script(arguments.shell, build_parser()), end="")
    return 0
