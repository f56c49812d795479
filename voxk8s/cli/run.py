"""`voxk8s run`: a program or plan, in this process."""

from __future__ import annotations

import argparse
import sys

from voxk8s.cli.output import dump, escape, goal_line, result_json
from voxk8s.cli.progress import ProgressLine
from voxk8s.cli.source import read_plan
from voxk8s.execution import CacheMode, ExecutionEngine, ExecutionResult, OnFailure
from voxk8s.storage import open_store


def run(arguments: argparse.Namespace) -> int:
    """Run a plan and write what its `print` goals give."""
    plan = read_plan(arguments)
    quiet = bool(arguments.quiet)
    engine = ExecutionEngine(
        open_store(arguments.store),
        cache=_cache(arguments),
        on_failure=OnFailure.FAIL_FAST if arguments.fail_fast else OnFailure.CONTINUE,
        output=arguments.output,
        write_files=True,
        listeners=[] if quiet else [ProgressLine(sys.stderr, live=sys.stderr.isatty())],
    )
    try:
        result = engine.execute_workplan(plan)
    except KeyboardInterrupt:
        engine.cancel()
        raise
    if arguments.json:
        print(dump(result_json(result)))
    else:
        _write_lines(result)
    return 0 if result.success else 1


def _cache(arguments: argparse.Namespace) -> CacheMode:
    if arguments.refresh:
        return CacheMode.REFRESH
    return CacheMode.BYPASS if arguments.no_cache else CacheMode.USE


def _write_lines(result: ExecutionResult) -> None:
    for outcome in result.goals:
        if outcome.error is not None:
            print(f"voxk8s: {escape(outcome.goal.name)}: {outcome.error}", file=sys.stderr)
        elif outcome.goal.operation == "print":
            print(goal_line(outcome))
