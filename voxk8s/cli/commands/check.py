"""`voxk8s check`: print the errors and warnings of a program or plan, and of its inputs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from voxk8s.cli.input_check import input_problems
from voxk8s.cli.input_file import no_goals, read_source
from voxk8s.cli.parameters import ParameterWarnings
from voxk8s.cli.permissions import permissions
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.plan.expectation import check_printed
from voxk8s.redact import redact, visible


def run(arguments: argparse.Namespace) -> int:
    """Print all errors and warnings of a program, or the first error of a plan document."""
    given = read_source(arguments)
    skips = (arguments.on_item_failure or given.on_item_failure) == "skip"
    found = given.content
    if isinstance(found, WorkPlan):
        check_printed(given.expected, found, "$.spec.expect")
        return _check_inputs(found, {}, arguments, skips=skips)
    # Imported here: plan documents do not need the compiler.
    from voxk8s.imgql import check_program, format_diagnostics
    from voxk8s.kernels import registry, symbols
    from voxk8s.program import compile_with_places

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
    if any(each.severity == "error" for each in diagnostics):
        return 2
    compiled = compile_with_places(
        found.text,
        name=found.name,
        parameters=found.parameters,
        read_file=found.read_file,
        skips=skips,
    )
    plan = compiled.plan
    check_printed(given.expected, plan, "$.spec.expect")
    if not plan.goals:
        print(f"voxk8s: warning: {visible(no_goals(found.name))}", file=sys.stderr)
    return _check_inputs(plan, compiled.origins, arguments, skips=skips)


def _check_inputs(
    plan: WorkPlan,
    places: Mapping[OperationId, object],
    arguments: argparse.Namespace,
    *,
    skips: bool,
) -> int:
    """Print what is wrong with the inputs on this machine; return the exit status."""
    if arguments.no_inputs:
        return 0
    problems = list(input_problems(plan, permissions(arguments), places, skips=skips))
    for problem in problems:
        severity = "warning: " if problem.is_warning else ""
        print(f"voxk8s: {severity}{visible(redact(problem.text))}", file=sys.stderr)
    if problems:
        print("voxk8s: --no-inputs checks the program alone", file=sys.stderr)
    return 0 if all(each.is_warning for each in problems) else 2
