"""Which parameters a result depends on, and whether a definition needs itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voxk8s.imgql.lower.ir import Function, Parameter, needs
from voxk8s.imgql.syntax.diagnostics import Report

_LONGEST_CYCLE = 12


def analyse(functions: Iterable[Function], report: Report) -> bool:
    """Fill in `used` and `live` of the functions and all they call; report recursion.

    Gives False when there is recursion: such functions must not be run.
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
                measure(function)
                done.add(function)
                path.popitem()
            elif callee in path:
                _refuse(list(path), callee, report)
                sound = False
            elif callee not in done:
                path[callee] = iter(callee.callees)
    return sound


def measure(function: Function) -> None:
    """Fill in `used` and `live` of a function whose callees are measured."""
    instructions = function.instructions
    live = {function.result}
    used = set()
    for place in range(function.result, -1, -1):
        if place in live:
            instruction = instructions[place]
            if isinstance(instruction, Parameter):
                used.add(instruction.place)
            else:
                live.update(needs(instruction))
    function.live = tuple(sorted(live))
    function.used = tuple(sorted(used))


def _refuse(path: list[Function], again: Function, report: Report) -> None:
    cycle = path[path.index(again) :]
    names = [each.name for each in cycle if each.name]
    if not names:
        return
    named = next(each for each in cycle if each.name)
    if len(names) > _LONGEST_CYCLE:
        names = [*names[: _LONGEST_CYCLE - 1], "…"]
    report.error(
        named.source,
        named.start,
        named.end,
        f"`{named.name}` is defined by itself: {' -> '.join([*names, names[0]])}",
        "a definition may only use what does not need it; use `for` or `fold` to repeat",
    )
