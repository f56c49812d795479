"""Liveness analysis: which parameters and instructions a result depends on. Reports recursion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voxk8s.imgql.lower.ir import (
    Apply,
    Call,
    Constant,
    Fold,
    Function,
    Instruction,
    Map,
    Parameter,
    Write,
    operands_of,
)
from voxk8s.imgql.reduce.unrolling import MAX_UNROLLED
from voxk8s.imgql.syntax.diagnostics import Diagnostics

_MAX_CYCLE_SHOWN = 12
_MOST_WORK = 2**62
"""More than any limit; the exact number may have as many digits as a program has functions."""


def analyse_liveness(
    functions: Iterable[Function], diagnostics: Diagnostics, *, writes: bool = True
) -> bool:
    """Set `used` and `live` of the functions and all that they call; report recursion.

    `writes` is whether there may be goals inside of expressions. Returns False if there is
    recursion: such functions must not be evaluated.
    """
    done: set[Function] = set()
    sound = True
    for root in functions:
        if root in done:
            continue
        path: dict[Function, Iterator[Function]] = {root: iter(root.callees)}
        while path:
            function, callees = next(reversed(path.items()))
            callee = next(callees, None)
            if callee is None:
                set_live_and_used(function, all_writes=writes)
                done.add(function)
                path.popitem()
            elif callee in path:
                _report_error(list(path), callee, diagnostics)
                sound = False
            elif callee not in done:
                path[callee] = iter(callee.callees)
    return sound


def set_live_and_used(function: Function, *, all_writes: bool = True) -> None:
    """Set `used`, `live`, `writes` and `work` of a function; those of its callees must be set.

    `all_writes`: what writes files is live too, also where the result does not depend on it.
    """
    instructions = function.instructions
    live = {function.result}
    if all_writes:
        live.update(writing(function))
        function.writes = len(live) > 1 or _writes(instructions[function.result])
    used = set()
    work = 0
    for index in range(max(live), -1, -1):
        if index in live:
            instruction = instructions[index]
            kind = type(instruction)
            if kind is Parameter:
                used.add(instruction.index)  # type: ignore[union-attr] # by `kind`
                continue
            if kind is Constant:
                continue
            if kind is Apply:
                live.update(instruction.arguments)  # type: ignore[union-attr] # by `kind`
                work += 1
                continue
            live.update(operands_of(instruction))
            if kind is Call:
                # Values are computed once, wherever they are used.
                callee = instruction.function  # type: ignore[union-attr] # by `kind`
                work += callee.work if callee.parameters else 0
            elif kind is Map or kind is Fold:
                work += 1 + MAX_UNROLLED * (1 + instruction.function.work)  # type: ignore[union-attr] # by `kind`
            else:
                work += 1
    function.work = min(work, _MOST_WORK)
    function.live = tuple(sorted(live))
    function.used = tuple(sorted(used))


def writing(function: Function) -> Iterator[int]:
    """Yield the indices of the instructions that write files, directly or by what they call."""
    return (index for index, each in enumerate(function.instructions) if _writes(each))


def _writes(instruction: Instruction) -> bool:
    kind = type(instruction)
    if kind is Call or kind is Map or kind is Fold:
        return instruction.function.writes  # type: ignore[union-attr] # by `kind`
    return kind is Write


def _report_error(path: list[Function], again: Function, diagnostics: Diagnostics) -> None:
    cycle = path[path.index(again) :]
    names = [each.name for each in cycle if each.name]
    if not names:
        return
    named = next(each for each in cycle if each.name)
    if len(names) > _MAX_CYCLE_SHOWN:
        names = [*names[: _MAX_CYCLE_SHOWN - 1], "…"]
    diagnostics.error(
        named.source,
        named,
        f"`{named.name}` is defined in terms of itself: {' -> '.join([*names, names[0]])}",
        "recursion is not supported; use `for` or `fold` to repeat",
    )
