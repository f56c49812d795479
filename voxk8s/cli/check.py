"""`voxk8s check`: errors and warnings, nothing else."""

from __future__ import annotations

import argparse

from voxk8s.cli.source import read_plan


def run(arguments: argparse.Namespace) -> int:
    """Read a program or plan as a run would; what is wrong is raised."""
    read_plan(arguments)
    return 0
