"""Compiles programs for tests and formats plans as nested expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from voxk8s.errors import InvalidProgram
from voxk8s.imgql import CompiledProgram, Diagnostic, check_program, compile_program
from voxk8s.kernels import registry, symbols
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, Parameter


def compile_text(
    text: str,
    *,
    parameters: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    name: str = "main.imgql",
) -> CompiledProgram:
    """Compile a program with the real kernels; `files` are the files that it can import."""
    return compile_program(
        text,
        index=registry(),
        symbols=symbols,
        name=name,
        parameters=parameters,
        read_file=_reader(files),
    )


def check_text(
    text: str, *, files: Mapping[str, str] | None = None, name: str = "main.imgql"
) -> tuple[Diagnostic, ...]:
    """Check a program with the real kernels."""
    return check_program(
        text, index=registry(), symbols=symbols, name=name, read_file=_reader(files)
    )


def compile_error(text: str, **options: Mapping[str, str]) -> str:
    """Return the message of the InvalidProgram that compiling a program raises."""
    with pytest.raises(InvalidProgram) as caught:
        compile_text(text, **options)  # type: ignore[arg-type] # files and parameters only
    return str(caught.value)


def goal_text(text: str, **options: Mapping[str, str]) -> str:
    """Return the goals of a program as nested expressions, one a line."""
    plan = compile_text(text, **options).plan  # type: ignore[arg-type] # files and parameters only
    return "\n".join(expression(plan.nodes, goal.id) for goal in plan.goals)


def value_text(text: str) -> str:
    """Return an expression of a program as a nested expression of kernels."""
    return goal_text(f'import "vox1"\nload img = "a.nii"\nprint "x" {text}')


def expression(nodes: Mapping[OperationId, Node], root: OperationId) -> str:
    """Format a node as `kernel(argument, …)`; loops as `{body | captures}`."""
    node = nodes[root]
    match node:
        case Constant():
            return repr(node.value)
        case Parameter():
            return node.name
        case Operation():
            arguments = ", ".join(expression(nodes, each) for each in node.arguments)
            return f"{node.operator}({arguments})" if arguments else node.operator
        case Closure():
            captures = ", ".join(
                f"{name}={expression(nodes, each)}" for name, each in node.captures.items()
            )
            body = expression(node.nodes, node.result)
            return f"{{{body} | {captures}}}" if captures else f"{{{body}}}"


def _reader(files: Mapping[str, str] | None) -> Callable[[str], str] | None:
    return None if files is None else files.__getitem__
