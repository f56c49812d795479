"""Finds what a program loads, needed by its goals or not: that gives geometry its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import Apply, Call, Function, Instruction
from voxk8s.imgql.reduce.liveness import set_live_and_used


def loading_parts(values: Sequence[Function]) -> Iterator[Function]:
    """Give the parts of values that load something, each as a function without parameters.

    A part is a load, or the call of a function that loads; what loops load is left out, since it
    is there inside of them only.
    """
    loaders = _loaders(values)
    for function in values:
        for index, instruction in enumerate(function.instructions):
            if _is_load(instruction) or _calls(instruction, loaders):
                part = Function("", function.source, function.start, function.end, 0)
                part.instructions = function.instructions
                part.result = index
                set_live_and_used(part)
                yield part


def _loaders(values: Sequence[Function]) -> set[Function]:
    """Give the functions with parameters, called by some values, that load something."""
    found: set[Function] = set()
    seen: set[Function] = set()
    stack = [(each, False) for each in values]
    while stack:
        function, ready = stack.pop()
        if ready:
            if any(_is_load(each) or _calls(each, found) for each in function.instructions):
                found.add(function)
        elif function not in seen:
            seen.add(function)
            if function.parameters:
                stack.append((function, True))
            stack += [
                (each.function, False)
                for each in function.instructions
                if isinstance(each, Call) and each.function.parameters
            ]
    return found


def _is_load(instruction: Instruction) -> bool:
    return isinstance(instruction, Apply) and types.is_load(instruction.signature)


def _calls(instruction: Instruction, functions: set[Function]) -> bool:
    return isinstance(instruction, Call) and instruction.function in functions
