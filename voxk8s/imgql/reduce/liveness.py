"""Liveness analysis: which parameters and instructions a result depends on. Reports recursion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voxk8s.imgql.lower.ir import Function, Parameter, operands_of
from voxk8s.imgql.syntax.diagnostics import Diagnostics

_MAX_CYCLE_SHOWN = 12


def analyse_liveness(functions: Iterable[Function], diagnostics: Diagnostics) -> bool:
    """Set `used` and `live` of the functions and all that they call; report recursion.

    Returns False if there is recursion: such functions must not be evaluated.
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
                set_live_and_used(function)
                done.add(function)
                path.popitem()
            elif callee in path:
                _report_error(list(path), callee, diagnostics)
                sound = False
            elif callee not in done:
                path[callee] = iter(callee.callees)
    return sound


def set_live_and_used(function: Function) -> None:
    """Set `used` and `live` of a function; those of its callees must be set."""
    instructions = function.instructions
    live = {function.result}
    used = set()
    for index in range(function.result, -1, -1):
        if index in live:
            instruction = instructions[index]
            if isinstance(instruction, Parameter):
                used.add(instruction.index)
            else:
                live.update(operands_of(instruction))
    function.live = tuple(sorted(live))
    function.used = tuple(sorted(used))


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
