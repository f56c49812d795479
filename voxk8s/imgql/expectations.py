"""Reads the expected values of a program."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.imgql.lower.ir import GoalFunction
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Expect, Token, string_value
from voxk8s.plan.expectation import Expectation
from voxk8s.plan.model import Scalar
from voxk8s.plan.suggest import nearest


def read_expectations(
    commands: Sequence[tuple[Source, Expect]],
    goals: Sequence[GoalFunction],
    diagnostics: Diagnostics,
) -> tuple[Expectation, ...]:
    """Return the expectations of a program; those of what is not printed are reported."""
    printed = [goal.label for goal in goals if goal.kind == "print"]
    found: list[Expectation] = []
    for source, command in commands:
        name = string_value(command.label)
        if name not in printed:
            near = nearest(name, printed)
            diagnostics.error(
                source,
                command.label,
                f'nothing is printed as "{name}"',
                f'did you mean "{near}"?'
                if near
                else 'only the value of a print "name" … is known',
            )
            continue
        if len(command.value) > 1 and command.value[0].text != "-":
            diagnostics.error(
                source, command.value[0], "expected a number, a string or a truth value"
            )
            continue
        within = float(command.within.text) if command.within is not None else 0.0
        found.append(Expectation(name, _value(command.value), within))
    return tuple(found)


def _value(tokens: Sequence[Token]) -> Scalar:
    last = tokens[-1]
    if last.type == "STRING":
        return string_value(last)
    if last.type == "NUMBER":
        return -float(last.text) if len(tokens) > 1 else float(last.text)
    return last.type == "TRUE"
